#include <fmt/format.h>

#include "src/app/commands.hpp"
#include "src/base/error.hpp"
#include "src/io/event_log.hpp"
#include "src/io/file.hpp"
#include "src/io/record.hpp"
#include "src/io/results_folder.hpp"
#include "src/io/results_seal.hpp"
#include "src/judge/judge.hpp"
#include "src/report/series_summary.hpp"

namespace vlmark::app {
namespace {

namespace fs = std::filesystem;

/// "line 7: '...', recomputed '...'": the first line that differs.
std::string difference(const std::string& stored, const std::string& now) {
  std::size_t line = 1, at = 0;
  const std::size_t common = std::min(stored.size(), now.size());
  std::size_t begin = 0;
  for (; at < common && stored[at] == now[at]; ++at)
    if (stored[at] == '\n') ++line, begin = at + 1;
  const auto rest = [begin](const std::string& text) {
    return text.substr(begin, text.find('\n', begin) - begin);
  };
  return fmt::format("line {}: '{}', recomputed '{}'", line, rest(stored), rest(now));
}

/// The record is as the run left it, and gives the result that the run wrote.
judge::Judgement verified(const fs::path& folder) {
  if (!fs::exists(io::record_path(folder)) && fs::exists(folder / "journals"))
    throw IoError(
        folder.string() +
        ": incomplete: holds journals and no samples.h5 (the run did not end). Run again");
  std::vector<std::string> broken = io::broken_seals(folder);
  for (std::string& link : io::broken_links(folder)) broken.push_back(std::move(link));
  if (!broken.empty()) {
    std::string text;
    for (const std::string& problem : broken) text += (text.empty() ? "" : "\n") + problem;
    throw IoError(text + "\n" + folder.string() +
                  ": is not as the run left it. Restore it, or run again");
  }
  const io::Record record = io::read_record(folder);
  if (record.rules_version != io::kRulesVersion)
    throw ConfigError(folder.string() + ": is judged by rules " + record.rules_version +
                      ", this program knows " + io::kRulesVersion +
                      ". Use the program of that version");
  judge::Judgement judgement = judge::judge(record);
  const std::string now = judge::result_json(judgement),
                    stored = io::read_text_file(folder / "result.json");
  if (now != stored)
    throw IoError((folder / "result.json").string() + ": is not what the record gives: " +
                  difference(stored, now) + ". Trust the record, or run again");
  return judgement;
}

/// Every launch that ended, then what rules R10, R11 and R14 make of them together.
bool verify_series(const fs::path& folder, const std::vector<fs::path>& launches, bool json) {
  bool valid = true;
  for (const fs::path& launch : launches) {
    if (!fs::exists(io::record_path(launch))) {  // R11 lets one of them be replaced
      fmt::print(stderr, "{}: the launch failed: holds no samples.h5\n", launch.string());
      continue;
    }
    const judge::Judgement judgement = verified(launch);
    valid &= judgement.valid();
    fmt::print(json ? stderr : stdout, "{}\n", judge::result_line(judgement));
  }
  if (!valid) {
    fmt::print("VLMARK SERIES INVALID detail=\"a launch is INVALID\"\n");
    return false;
  }
  try {
    const report::Series series = report::read_series({folder}).at("");
    fmt::print("{}\n", json ? report::series_json(series) : report::series_line(series));
  } catch (const InvalidInputError& e) {
    fmt::print("VLMARK SERIES INVALID rule=R11 detail=\"{}\"\n", e.what());
    return false;
  }
  return true;
}

}  // namespace

int verify_command(const VerifyOptions& options) {
  const fs::path folder = options.folder;
  if (!fs::is_directory(folder))
    throw IoError(folder.string() + ": is no folder (a run leaves one). Check the path");
  const std::vector<fs::path> launches = io::launches_of(folder);
  bool valid = false;
  if (!launches.empty()) {
    valid = verify_series(folder, launches, options.json);
  } else {
    const judge::Judgement judgement = verified(folder);
    valid = judgement.valid();
    fmt::print("{}",
               options.json ? judge::result_json(judgement) : judge::result_line(judgement) + "\n");
  }
  return static_cast<int>(valid ? ExitCode::ok : ExitCode::invalid);
}

}  // namespace vlmark::app
