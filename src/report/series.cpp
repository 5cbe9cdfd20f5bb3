#include "src/report/series.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "src/base/error.hpp"
#include "src/io/record.hpp"
#include "src/io/results_folder.hpp"
#include "src/stats/summary.hpp"

namespace vlmark::report {
namespace {

namespace fs = std::filesystem;

/// Subfolders in the order of their names.
std::vector<fs::path> subfolders(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (entry.is_directory()) found.push_back(entry.path());
  if (error)
    throw InvalidInputError(folder.string() + ": cannot be read: " + error.message() +
                            " (a comparison needs results folders). Check the path");
  std::sort(found.begin(), found.end());
  return found;
}

std::map<int, fs::path> launches_of(const fs::path& folder) {
  std::map<int, fs::path> launches;
  for (const fs::path& sub : subfolders(folder))
    if (const auto number = io::launch_number(sub)) launches.emplace(*number, sub);
  return launches;
}

bool holds_result(const fs::path& folder) { return fs::exists(folder / kResultFile); }
bool holds_series(const fs::path& folder) {
  return holds_result(folder) || !launches_of(folder).empty();
}

RunResult read_run(const fs::path& folder) {
  RunResult result;
  try {
    result = read_result(folder);
  } catch (const IoError& e) {
    throw InvalidInputError(e.what());
  }
  if (!result.valid)
    throw InvalidInputError(result.file +
                            ": 'valid' is false, the run is INVALID (only VALID runs "
                            "are compared, R16). Find out why and launch it again");
  if (result.kind != "measured")
    throw InvalidInputError(result.file + ": 'kind' is \"" + result.kind +
                            "\" (only measured runs are compared). Give the folder of a run");
  return result;
}

/// A series folder: all launches are there, at most one failed.
Series read_launches(const fs::path& folder, const std::map<int, fs::path>& launches) {
  Series series{.name = folder.string()};
  int expected = launches.begin()->first;
  for (const auto& [number, path] : launches) {
    if (number != expected || launches.begin()->first > 1)
      throw InvalidInputError(
          fmt::format("{}: has run-{} but no run-{} (every launch is reported, R11). Add its "
                      "folder, empty where nothing was left",
                      folder.string(), number, number == expected ? 1 : expected));
    ++expected;
    ++series.launched;
    if (holds_result(path)) {
      series.runs.push_back(read_run(path));
    } else {
      series.failed.push_back(path.string());
    }
  }
  if (series.failed.size() > 1)
    throw InvalidInputError(fmt::format(
        "{}: {} of {} launches have no {} ({}, {}; at most one may fail and be replaced, R11). "
        "Launch a new series",
        folder.string(), series.failed.size(), series.launched, kResultFile, series.failed[0],
        series.failed[1]));
  return series;
}

Series read_one(const fs::path& folder) {
  const auto launches = launches_of(folder);
  if (!launches.empty()) return read_launches(folder, launches);
  if (!holds_result(folder))
    throw InvalidInputError(folder.string() + ": holds neither " + kResultFile +
                            " nor run-1, run-2, ..." +
                            (fs::exists(folder / "samples.h5") || fs::exists(folder / "journals")
                                 ? " (a run that failed, or of an older version). Launch it again"
                                 : " (no results folder and no series). Check the path"));
  return {.name = folder.string(), .runs = {read_run(folder)}, .launched = 1};
}

void require_one_system(const RunResult& first, const RunResult& run) {
  const auto expect_same = [&](const char* key, const auto& a, const auto& b) {
    if (a == b) return;
    throw InvalidInputError(fmt::format(
        "{}: '{}' is {} where {} has {} (a series is of one system, R10). Compare them as A and B",
        run.file, key, b, first.file, a));
  };
  expect_same("ranks", first.ranks, run.ranks);
  expect_same("layout", first.layout, run.layout);
  expect_same("instruction_set", first.instruction_set, run.instruction_set);
  expect_same("repetition.declared", first.declared, run.declared);
}

/// Applies R10 and R11 to what was launched.
void settle(Series& series, bool one_folder) {
  if (series.runs.empty())
    throw InvalidInputError(series.name + ": no launch has a " + kResultFile +
                            " (all of them failed). Launch a new series");
  std::set<int> repetitions;
  for (const RunResult& run : series.runs) {
    require_comparable(series.runs.front(), run);
    require_one_system(series.runs.front(), run);
    if (one_folder && !repetitions.insert(run.repetition).second)
      throw InvalidInputError(fmt::format(
          "{}: 'repetition.index' is {}, as in another run of the series (a run counts once). "
          "Remove the copy",
          run.file, run.repetition));
  }
  const int declared = series.runs.front().declared, ended = static_cast<int>(series.runs.size());
  if (ended < declared)
    throw InvalidInputError(fmt::format(
        "{}: {} of the {} runs declared before the first have a result (choosing among runs is "
        "forbidden, R11). Give all of them; one that failed may be replaced",
        series.name, ended, declared));
  series.declared = declared;
}

Series read_joined(const std::vector<fs::path>& folders) {
  Series joined;
  bool single_runs = true;
  for (const fs::path& folder : folders) {
    Series series = read_one(folder);
    single_runs &= holds_result(folder) && launches_of(folder).empty();
    if (folders.size() > 1 && !launches_of(folder).empty()) {
      settle(series, true);
      series.runs = median_window(series.runs, series.declared);
      joined.declared += series.declared;
    }
    joined.name += (joined.name.empty() ? "" : " + ") + series.name;
    joined.launched += series.launched;
    joined.runs.insert(joined.runs.end(), series.runs.begin(), series.runs.end());
    joined.failed.insert(joined.failed.end(), series.failed.begin(), series.failed.end());
  }
  const int declared = joined.declared;
  settle(joined, folders.size() == 1);
  if (folders.size() > 1) {
    // Series were settled one by one; single runs are one series together.
    joined.declared = single_runs ? static_cast<int>(joined.runs.size()) : declared;
    return joined;
  }
  joined.runs = median_window(joined.runs, joined.declared);
  return joined;
}

}  // namespace

std::vector<double> Series::foms() const {
  std::vector<double> values;
  for (const RunResult& run : runs) values.push_back(run.fom.value);
  return values;
}

bool Series::flagged(const std::string& flag) const {
  return std::any_of(runs.begin(), runs.end(), [&](const RunResult& run) {
    return std::find(run.flags.begin(), run.flags.end(), flag) != run.flags.end();
  });
}

bool Series::official() const {
  return std::all_of(runs.begin(), runs.end(), [](const RunResult& run) { return run.official; });
}

std::vector<RunResult> median_window(const std::vector<RunResult>& runs, int n) {
  const int windows = static_cast<int>(runs.size()) - n + 1;
  std::vector<std::pair<double, int>> medians;  // worst first
  for (int start = 0; start < windows; ++start) {
    std::vector<double> foms;
    for (int i = start; i < start + n; ++i) foms.push_back(runs[i].fom.value);
    const double median = stats::median_of(foms);
    medians.emplace_back(runs[start].fom.higher_is_better ? median : -median, start);
  }
  std::sort(medians.begin(), medians.end());
  const int start = medians[(windows - 1) / 2].second;
  return {runs.begin() + start, runs.begin() + start + n};
}

void require_comparable(const RunResult& base, const RunResult& other) {
  std::string differences;
  const auto expect_same = [&](const char* key, const std::string& a, const std::string& b) {
    if (a != b)
      differences += fmt::format("{}'{}' is {} where {} has {}", differences.empty() ? "" : ", ",
                                 key, b, base.file, a);
  };
  expect_same("fom.name", base.fom.name, other.fom.name);
  expect_same("fom.unit", base.fom.unit, other.fom.unit);
  const auto better = [](const RunResult& r) {
    return r.fom.higher_is_better ? "higher" : "lower";
  };
  expect_same("fom.better", better(base), better(other));
  expect_same("rules", base.rules, other.rules);
  expect_same("manifest_sha256", base.manifest_sha256, other.manifest_sha256);
  expect_same("model", base.model, other.model);
  expect_same("precision", base.precision, other.precision);
  expect_same("tier", base.tier, other.tier);
  if (!differences.empty())
    throw NotComparableError(other.file + ": " + differences +
                             " (different figures of merit, R16). Compare runs of one manifest, "
                             "precision, tier and rule version");
}

void require_known_rules(const RunResult& result) {
  if (result.rules != io::kRulesVersion)
    throw NotComparableError(result.file + ": 'rules' is " + result.rules +
                             " (this version compares "
                             "by rules " +
                             io::kRulesVersion + "). Use the version they are of");
}

std::map<std::string, Series> read_series(const std::vector<fs::path>& folders) {
  if (folders.size() > 1 || holds_series(folders.front())) return {{"", read_joined(folders)}};
  std::map<std::string, Series> configurations;
  for (const fs::path& sub : subfolders(folders.front()))
    if (holds_series(sub)) configurations.emplace(sub.filename().string(), read_joined({sub}));
  if (configurations.empty()) read_one(folders.front());  // says what is missing
  return configurations;
}

}  // namespace vlmark::report
