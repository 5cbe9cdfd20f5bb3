#include "src/report/read_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "src/base/error.hpp"
#include "src/io/event_log.hpp"
#include "src/io/file.hpp"
#include "src/io/rank_samples.hpp"
#include "src/io/record.hpp"
#include "src/io/results_folder.hpp"
#include "src/io/results_seal.hpp"
#include "src/judge/judge.hpp"
#include "src/plan/schedule.hpp"
#include "src/report/record_view.hpp"
#include "src/report/result.hpp"
#include "src/report/run_facts.hpp"

namespace vlmark::report {
namespace {

namespace fs = std::filesystem;

/// Journals in the order of their names, which is that of the ranks.
std::vector<fs::path> journals_of(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder / "journals", error))
    if (entry.path().extension() == ".journal") found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

/// Puts a rank's samples into its place of a record.
void add_rank(io::RankSamples& samples, io::Record& record) {
  const auto rank = static_cast<std::size_t>(samples.rank);
  record.timing[rank] = std::move(samples.timing);
  record.counters[rank] = std::move(samples.counters);
  record.memory[rank] = std::move(samples.memory);
  record.clocks[rank] = samples.clock;
  for (io::ActionTiming& action : samples.actions) record.actions.push_back({samples.rank, action});
  for (io::Verification& check : samples.verification)
    record.verification.push_back({samples.rank, std::move(check)});
  if (samples.rank != 0) return;
  record.steps = std::move(samples.scalars);
  record.plan_values = std::move(samples.plan_values);
  for (io::Text& text : samples.texts) record.texts[text.key] = std::move(text.value);
}

/// What the journals hold, as far as they go; `problems` says where they end.
io::Record read_journals(const fs::path& folder, std::vector<std::string>& problems) {
  io::Record record;
  record.header.kind = "";
  for (int kind = 0; kind < plan::kActionKinds; ++kind)
    record.header.action_kinds.emplace_back(name_of(static_cast<plan::ActionKind>(kind)));
  for (int lane = 0; lane < plan::kLanes; ++lane)
    record.header.lanes.emplace_back(name_of(static_cast<plan::Lane>(lane)));
  const std::vector<fs::path> journals = journals_of(folder);
  // A rank beyond the journals that are there has none: what a file says of its number is not
  // trusted with memory.
  for (const fs::path& path : journals) {
    try {
      io::RankSamples samples = io::read_rank_samples(path);
      if (samples.rank < 0 || samples.rank >= static_cast<int>(journals.size())) {
        problems.push_back(fmt::format("{}: is of rank {} where {} journals are there",
                                       path.filename().string(), samples.rank, journals.size()));
        continue;
      }
      if (!samples.incomplete.empty())
        problems.push_back(path.filename().string() + ": " + samples.incomplete);
      record.ranks = std::max(record.ranks, samples.rank + 1);
      const auto ranks = std::max(static_cast<std::size_t>(record.ranks), record.timing.size());
      record.timing.resize(ranks);
      record.counters.resize(ranks);
      record.memory.resize(ranks);
      record.clocks.resize(ranks);
      if (samples.ranks > static_cast<int>(journals.size()) && samples.rank == 0)
        problems.push_back(
            fmt::format("{} ranks ran, {} journals are there", samples.ranks, journals.size()));
      add_rank(samples, record);
    } catch (const Error& e) {
      problems.emplace_back(e.what());
    }
  }
  return record;
}

/// "last event: trained, 2026-11-24T06:20:18Z"; empty where there is none.
std::string last_event(const fs::path& folder) {
  std::string last;
  try {
    std::istringstream lines(io::read_text_file(folder / "events.jsonl"));
    for (std::string line; std::getline(lines, line);) {
      const auto json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
      if (json.is_object() && json.contains("event") && json["event"].is_string())
        last = json["event"].get<std::string>() + (json.contains("utc") && json["utc"].is_string()
                                                       ? ", " + json["utc"].get<std::string>()
                                                       : "");
    }
  } catch (const IoError&) {
    return "";  // a run may die before its first event
  }
  return last.empty() ? "" : " The last event it noted: " + last + ".";
}

void show_journals(const fs::path& folder, ShownRun& run) {
  const io::Record record = read_journals(folder, run.warnings);
  show_record(record, run);
  show_unjudged(record, run);
}

/// Whether the files are as the run left them; each finding a warning.
void check_seals(const fs::path& folder, const std::string& result, ShownRun& run) {
  try {
    for (std::string& broken : io::broken_seals(folder)) run.warnings.push_back(std::move(broken));
    for (std::string& broken : io::broken_links(folder)) run.warnings.push_back(std::move(broken));
    if (!result.empty() && io::read_text_file(folder / kResultFile) != result)
      run.warnings.push_back((folder / kResultFile).string() +
                             ": is not what the record gives; numbers here are the record's");
  } catch (const Error& e) {
    run.warnings.emplace_back(e.what());
  }
}

void show_whole_record(const fs::path& folder, const io::Record& record, ShownRun& run) {
  show_record(record, run);
  std::string result;
  try {
    if (record.rules_version != io::kRulesVersion)
      throw ConfigError("it is of rules " + record.rules_version + ", this program judges by " +
                        io::kRulesVersion + ". Use the program of that version");
    const judge::Judgement judgement = judge::judge(record);
    result = judge::result_json(judgement);
    show_judgement(judgement, record, run);
  } catch (const Error& e) {
    run.standing = Standing::not_judged;
    run.reason = std::string("This version's rules cannot judge the record: ") + e.what();
    show_unjudged(record, run);
  }
  check_seals(folder, result, run);
  if (run.standing == Standing::valid && !run.warnings.empty()) {
    run.standing = Standing::not_sealed;
    run.reason += " But the files are not as the run left them, so that they prove nothing.";
  }
}

}  // namespace

const char* name_of(Standing standing) {
  switch (standing) {
    case Standing::valid:
      return "VALID";
    case Standing::invalid:
      return "INVALID";
    case Standing::not_sealed:
      return "NOT SEALED";
    case Standing::not_measured:
      return "NOT MEASURED";
    case Standing::not_judged:
      return "NOT JUDGED";
    case Standing::incomplete:
      return "INCOMPLETE";
    case Standing::damaged:
      return "DAMAGED";
    case Standing::empty:
      return "FAILED";
  }
  return "";
}

bool holds_run(const fs::path& folder) {
  return fs::exists(io::record_path(folder)) || fs::exists(folder / kResultFile) ||
         fs::exists(folder / "journals");
}

ShownRun read_run(const fs::path& folder, const std::string& name) {
  ShownRun run;
  run.name = name;
  if (fs::exists(io::record_path(folder))) {
    try {
      show_whole_record(folder, io::read_record(folder), run);
    } catch (const IoError& e) {
      run = {.name = name, .standing = Standing::damaged};
      run.reason = std::string("The record cannot be read: ") + e.what();
      if (!journals_of(folder).empty()) {
        run.reason += " What follows is from the journals.";
        show_journals(folder, run);
      }
    }
  } else if (!journals_of(folder).empty()) {
    run.standing = Standing::incomplete;
    run.reason = "The run did not end: it left journals and no record." + last_event(folder);
    show_journals(folder, run);
  } else {
    run.reason = "The launch left no record and no journals." + last_event(folder);
  }
  return run;
}

}  // namespace vlmark::report
