#include "src/report/record_view.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "src/base/counters.hpp"
#include "src/report/run_numbers.hpp"
#include "src/report/trace.hpp"

namespace vlmark::report {
namespace {

constexpr int most_traced_ranks = 16;

std::optional<double> plan_value(const io::Record& record, const std::string& name) {
  for (const io::PlanValue& value : record.plan_values)
    if (value.name == name && std::isfinite(value.value)) return value.value;
  return std::nullopt;
}

/// "exposed_data" -> "exposed data"; names of the environment, in capitals, stay.
std::string readable(std::string name) {
  if (std::any_of(name.begin(), name.end(), [](char c) { return c >= 'a' && c <= 'z'; }))
    std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

double seconds(std::int64_t ns) { return 1e-9 * static_cast<double>(ns); }

void show_steps(const io::Record& record, ShownRun& run) {
  for (int phase = 0; phase < io::kPhases; ++phase)
    run.phases.push_back(readable(io::name_of(static_cast<io::Phase>(phase))));
  for (std::size_t rank = 0; rank < record.timing.size(); ++rank) {
    RankSteps& steps = run.ranks.emplace_back();
    steps.rank = static_cast<int>(rank);
    for (const io::StepTiming& t : record.timing[rank]) {
      steps.step.push_back(t.step);
      steps.seconds.push_back(seconds(t.end_ns - t.start_ns));
      auto& phases = steps.phases.emplace_back();
      for (const std::int64_t ns : t.phase_ns) phases.push_back(seconds(ns));
    }
  }
  const auto untimed = plan_value(record, "window.untimed_steps");
  if (untimed && *untimed >= 0 && *untimed <= static_cast<double>(record.steps.size()))
    run.untimed = static_cast<int>(*untimed);
}

/// FLOPs and time of vit, merger, decoder and head over the averaged steps; their phases have the
/// same names.
void show_rates(const io::Record& record, ShownRun& run) {
  const std::size_t first = first_averaged(run);
  for (int p = 0; p < kParts; ++p) {
    PartRate rate{.part = name_of(static_cast<Part>(p)), .bytes = std::nullopt};
    const auto phase = std::find(run.phases.begin(), run.phases.end(), rate.part);
    if (phase == run.phases.end()) continue;
    const auto at = static_cast<std::size_t>(phase - run.phases.begin());
    std::size_t steps = 0;
    for (std::size_t r = 0; r < run.ranks.size() && r < record.counters.size(); ++r) {
      const std::size_t both = std::min(run.ranks[r].seconds.size(), record.counters[r].size());
      for (std::size_t s = first; s < both; ++s) {
        const io::StepCounters& counters = record.counters[r][s];
        rate.flops += static_cast<double>(counters.gemm_flops[p] + counters.attention_flops[p]);
        rate.seconds += run.ranks[r].phases[s][at];
      }
      steps = std::max(steps, both - std::min(first, both));
    }
    if (const auto bytes = plan_value(record, "bytes." + rate.part))
      rate.bytes = *bytes * static_cast<double>(steps);
    if (rate.flops > 0) run.rates.push_back(std::move(rate));
  }
  run.machine = {plan_value(record, "machine.flops_per_s"),
                 plan_value(record, "machine.bytes_per_s")};
}

void show_memory(const io::Record& record, ShownRun& run) {
  for (std::size_t rank = 0; rank < record.memory.size(); ++rank)
    for (const io::MemoryPeak& peak : record.memory[rank])
      run.memory.push_back(
          {static_cast<int>(rank), peak.category, static_cast<double>(peak.planned_bytes),
           peak.measured_bytes > 0 ? std::optional(static_cast<double>(peak.measured_bytes))
                                   : std::nullopt});
  const std::string prefix = "memory.";
  for (const io::PlanValue& value : record.plan_values)
    if (value.name.starts_with(prefix))
      run.planned.emplace_back(readable(value.name.substr(prefix.size())), value.value);
}

void show_texts(const io::Record& record, ShownRun& run) {
  const auto add = [&run](const std::string& label, const std::string& text) {
    if (!text.empty()) run.provenance.emplace_back(label, text);
  };
  add("kind", record.header.kind);
  add("started", record.header.start_utc);
  add("ended", record.header.end_utc);
  add("rules", record.rules_version);
  add("record format", record.schema_version);
  const std::string prefix = "provenance/";
  for (const auto& [place, text] : record.texts)
    if (place.starts_with(prefix)) add(readable(place.substr(prefix.size())), text);
  for (const auto& [place, text] : record.texts)
    if (place == "plan/layout" || place == "plan/state_hash") add(readable(place.substr(5)), text);
  if (const auto toml = record.texts.find("config"); toml != record.texts.end())
    run.config = config_keys(toml->second);
}

}  // namespace

void show_record(const io::Record& record, ShownRun& run) {
  show_steps(record, run);
  show_rates(record, run);
  show_memory(record, run);
  show_texts(record, run);
  for (const auto& [rank, check] : record.verification) run.checks.push_back(check);
  run.trace = recorded_step(record, [](int rank) { return rank < most_traced_ranks; });
  run.lanes = record.header.lanes;
}

std::map<std::string, std::string> config_keys(const std::string& toml) {
  std::map<std::string, std::string> keys;
  std::istringstream lines(toml);
  std::string table;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("[")) {
      table = line.substr(1, line.find(']') - 1);
      continue;
    }
    const std::size_t equal = line.find(" = ");
    if (equal == std::string::npos) continue;
    // The echo's own comment is the last one: a value may hold the same characters.
    std::string value = line.substr(equal + 3);
    value = value.substr(0, value.rfind("  # "));
    keys[table + "." + line.substr(0, equal)] = value;
  }
  return keys;
}

}  // namespace vlmark::report
