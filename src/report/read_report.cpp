#include <fmt/format.h>

#include <algorithm>

#include "src/base/error.hpp"
#include "src/io/results_folder.hpp"
#include "src/report/read_run.hpp"
#include "src/report/series.hpp"
#include "src/stats/comparison.hpp"
#include "src/stats/interval.hpp"
#include "src/stats/summary.hpp"

namespace vlmark::report {
namespace {

namespace fs = std::filesystem;

/// "quickstart" of "results/quickstart/".
std::string name_of(const fs::path& folder) {
  const fs::path whole = fs::absolute(folder).lexically_normal();
  return (whole.has_filename() ? whole : whole.parent_path()).filename().string();
}

/// R14 over the FOMs that count.
void show_statistics(const std::vector<double>& foms, const FigureOfMerit& fom,
                     ShownSeries& series) {
  const auto number = [&](const char* label, double value, Unit unit, const std::string& suffix) {
    series.facts.push_back({"", label, "", value, unit, suffix});
  };
  series.median = stats::median_of(foms);
  number("runs that count", static_cast<double>(foms.size()), Unit::count, "");
  number("median", *series.median, Unit::none, fom.unit);
  number("least", *std::min_element(foms.begin(), foms.end()), Unit::none, fom.unit);
  number("largest", *std::max_element(foms.begin(), foms.end()), Unit::none, fom.unit);
  const double cv = stats::cv_of(foms);
  number("coefficient of variation", cv, Unit::fraction, "");
  if (foms.size() > 1)
    series.facts.push_back(
        {"", "noisy (R15: above 2 %)", cv > stats::kNoisyCv ? "yes" : "no", {}, Unit::none, ""});
  const stats::RunsInterval over = stats::interval_over_runs(foms);
  series.interval = over.interval;
  if (over.interval) {
    number("95 % interval, low", over.interval->low, Unit::none, fom.unit);
    number("95 % interval, high", over.interval->high, Unit::none, fom.unit);
    number("coverage", over.coverage, Unit::fraction, "");
  }
  series.facts.push_back({"", "interval by", stats::name_of(over.method), {}, Unit::none, ""});
}

/// The run whose FOM is the median, the lower one of two; without any the first that has samples.
std::size_t standing_for_all(const ShownSeries& series, const std::vector<ShownRun>& runs) {
  std::vector<std::pair<double, std::size_t>> foms;
  for (const std::size_t i : series.runs)
    if (runs[i].standing == Standing::valid) foms.emplace_back(runs[i].fom->value, i);
  std::sort(foms.begin(), foms.end());
  if (!foms.empty()) return foms[(foms.size() - 1) / 2].second;
  for (const std::size_t i : series.runs)
    if (!runs[i].ranks.empty()) return i;
  return series.runs.front();
}

void add_series(const fs::path& folder, const std::vector<fs::path>& launches,
                const std::string& name, Report& report) {
  ShownSeries series{.name = name};
  std::vector<double> foms;
  for (const fs::path& launch : launches) {
    series.runs.push_back(report.runs.size());
    report.runs.push_back(read_run(launch, name + "/" + launch.filename().string()));
    const ShownRun& run = report.runs.back();
    if (run.standing == Standing::valid && run.fom->value > 0) foms.push_back(run.fom->value);
  }
  try {
    const Series counted = read_series({folder}).at("");
    if (counted.launched - static_cast<int>(counted.failed.size()) != static_cast<int>(foms.size()))
      throw InvalidInputError(folder.string() + ": " + std::to_string(foms.size()) + " of " +
                              std::to_string(counted.launched) +
                              " launches are VALID by their records (results are not believed "
                              "alone). Run `vlmark verify` on it");
    series.declared = counted.declared;
    foms = counted.foms();  // of more than were declared, the window that counts
  } catch (const Error& e) {
    series.problem = e.what();
  }
  series.shown = standing_for_all(series, report.runs);
  if (!foms.empty()) show_statistics(foms, *report.runs[series.shown].fom, series);
  report.series.push_back(std::move(series));
}

bool add_folder(const fs::path& folder, const std::string& name, Report& report) {
  const std::vector<fs::path> launches = io::launches_of(folder);
  if (!launches.empty())
    add_series(folder, launches, name, report);
  else if (holds_run(folder))
    report.runs.push_back(read_run(folder, name));
  else
    return false;
  return true;
}

/// Two columns of one name say where they come from instead.
void tell_apart(const std::vector<fs::path>& folders, std::vector<std::string>& names) {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (std::count_if(folders.begin(), folders.end(), [&](const fs::path& other) {
          return name_of(other) == name_of(folders[i]);
        }) > 1)
      names[i] = folders[i].string();
}

}  // namespace

Report read_report(const std::vector<fs::path>& folders) {
  std::vector<std::string> names;
  for (const fs::path& folder : folders) names.push_back(name_of(folder));
  tell_apart(folders, names);
  Report report;
  for (std::size_t i = 0; i < folders.size(); ++i) {
    if (!fs::is_directory(folders[i]))
      throw IoError(folders[i].string() +
                    ": is no folder (a report shows results folders). Check the path");
    if (add_folder(folders[i], names[i], report)) continue;
    std::vector<fs::path> below;
    for (const auto& entry : fs::directory_iterator(folders[i]))
      if (entry.is_directory()) below.push_back(entry.path());
    std::sort(below.begin(), below.end());
    bool any = false;
    for (const fs::path& sub : below)
      any |= add_folder(sub, names[i] + "/" + sub.filename().string(), report);
    if (!any)
      throw IoError(folders[i].string() +
                    ": holds neither samples.h5 nor journals nor run-1, run-2, ... (nothing of a "
                    "run to show). Give the results folder of a run, or of a series");
  }
  return report;
}

}  // namespace vlmark::report
