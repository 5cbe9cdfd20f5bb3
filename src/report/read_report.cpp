#include <fmt/format.h>

#include <algorithm>

#include "src/base/error.hpp"
#include "src/io/results_folder.hpp"
#include "src/report/bench_record.hpp"
#include "src/report/read_run.hpp"
#include "src/report/series_summary.hpp"

namespace vlmark::report {
namespace {

namespace fs = std::filesystem;

/// "quickstart" of "results/quickstart/".
std::string name_of(const fs::path& folder) {
  const fs::path whole = fs::absolute(folder).lexically_normal();
  return (whole.has_filename() ? whole : whole.parent_path()).filename().string();
}

/// R14 over the runs that count.
void show_statistics(const Series& counted, const std::string& unit, ShownSeries& series) {
  const SeriesSummary s = summarize(counted);
  const auto number = [&](const char* label, double value, Unit kind, const std::string& suffix) {
    series.facts.push_back({"", label, "", value, kind, suffix});
  };
  const auto text = [&](const char* label, const char* words) {
    series.facts.push_back({"", label, words, {}, Unit::none, ""});
  };
  series.median = s.median;
  series.interval = s.interval.interval;
  number("runs that count", s.runs, Unit::count, "");
  number("median", s.median, Unit::none, unit);
  number("least", s.min, Unit::none, unit);
  number("largest", s.max, Unit::none, unit);
  number("coefficient of variation", s.cv, Unit::fraction, "");
  if (s.runs > 1) text("noisy (R15: above 2 %)", s.noisy() ? "yes" : "no");
  if (series.interval) {
    number("95 % interval, low", series.interval->low, Unit::none, unit);
    number("95 % interval, high", series.interval->high, Unit::none, unit);
    number("coverage", s.interval.coverage, Unit::fraction, "");
  }
  text("interval by", stats::name_of(s.interval.method));
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
  Series valid;
  for (const fs::path& launch : launches) {
    series.runs.push_back(report.runs.size());
    report.runs.push_back(read_run(launch, name + "/" + launch.filename().string()));
    const ShownRun& run = report.runs.back();
    if (run.standing == Standing::valid && run.fom->value > 0)
      valid.runs.emplace_back().fom.value = run.fom->value;
  }
  try {
    const Series counted = read_series({folder}).at("");
    const std::size_t ended = series.runs.size() - counted.failed.size();
    if (ended != valid.runs.size())
      throw InvalidInputError(fmt::format(
          "{}: {} of {} results are VALID by their records (a result is not believed alone). Run "
          "`vlmark verify` on it",
          folder.string(), valid.runs.size(), ended));
    series.declared = counted.declared;
    valid = counted;  // of more than were declared, the window that counts
  } catch (const Error& e) {
    series.problem = e.what();
  }
  series.shown = standing_for_all(series, report.runs);
  if (!valid.runs.empty()) show_statistics(valid, report.runs[series.shown].fom->unit, series);
  report.series.push_back(std::move(series));
}

bool add_folder(const fs::path& folder, const std::string& name, Report& report) {
  const bool benchmarks = fs::exists(folder / kBenchFile);
  if (benchmarks) report.benches.push_back(read_bench(folder, name));
  const std::vector<fs::path> launches = io::launches_of(folder);
  if (!launches.empty())
    add_series(folder, launches, name, report);
  else if (holds_run(folder))
    report.runs.push_back(read_run(folder, name));
  else
    return benchmarks;
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
                    ": holds neither samples.h5 nor journals nor run-1, run-2, ... nor "
                    "bench.json (nothing to show). Give the results folder of a run, of a series "
                    "or of a benchmark");
  }
  return report;
}

}  // namespace vlmark::report
