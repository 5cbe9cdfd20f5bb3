#include "src/judge/judge.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "src/base/error.hpp"
#include "src/base/sha256.hpp"
#include "src/judge/gates.hpp"
#include "src/recipe/work.hpp"
#include "src/stats/bootstrap.hpp"

namespace vlmark::judge {
namespace {

[[noreturn]] void lacks(const std::string& what) {
  throw IoError("record: holds no " + what +
                " (a run notes it). Give the record of a run of this version");
}

const std::string& text_of(const io::Record& record, const char* place) {
  const auto at = record.texts.find(place);
  if (at == record.texts.end()) lacks(place);
  return at->second;
}

double plan_value(const io::Record& record, const char* name) {
  for (const io::PlanValue& value : record.plan_values)
    if (value.name == name) return value.value;
  lacks(std::string("plan/values: ") + name);
}

/// Time from each step's first start to that of the next, on rank 0's clock; of the last one to the
/// last rank's end.
std::vector<double> paces(const io::Record& record, std::size_t first) {
  const std::size_t steps = record.steps.size();
  std::vector<double> pace;
  const auto start = [&](std::size_t i) {
    std::int64_t least = std::numeric_limits<std::int64_t>::max();
    for (std::size_t r = 0; r < record.timing.size(); ++r)
      least = std::min(least, record.timing[r][i].start_ns + record.clocks[r].offset_ns);
    return least;
  };
  for (std::size_t i = first; i + 1 < steps; ++i)
    pace.push_back(static_cast<double>(start(i + 1) - start(i)) * 1e-9);
  if (steps == 0 || steps <= first) return pace;
  std::int64_t end = std::numeric_limits<std::int64_t>::min();
  for (std::size_t r = 0; r < record.timing.size(); ++r)
    end = std::max(end, record.timing[r][steps - 1].end_ns + record.clocks[r].offset_ns);
  pace.push_back(static_cast<double>(end - start(steps - 1)) * 1e-9);
  return pace;
}

Evidence evidence_of(const io::Record& record) {
  Evidence e{record,
             config::parse(text_of(record, "config"), "record: /config"),
             recipe::parse_manifest(text_of(record, "plan/manifest"), "record: /plan/manifest"),
             0,
             {},
             {},
             plan_value(record, "setup.seconds"),
             plan_value(record, "window.wall_seconds")};
  const auto ranks = static_cast<std::size_t>(record.ranks);
  const std::size_t steps = record.steps.size();
  const auto whole = [steps](const auto& of_rank) { return of_rank.size() == steps; };
  if (record.clocks.size() != ranks || record.timing.size() != ranks ||
      record.counters.size() != ranks ||
      !std::all_of(record.timing.begin(), record.timing.end(), whole) ||
      !std::all_of(record.counters.begin(), record.counters.end(), whole))
    lacks("times and counters of every step of all " + std::to_string(ranks) + " ranks");
  const double untimed = plan_value(record, "window.untimed_steps");
  if (!(untimed >= 0 && untimed < static_cast<double>(steps)))
    lacks("step in its window: " + std::to_string(untimed) + " of " + std::to_string(steps) +
          " steps are untimed");
  e.untimed = static_cast<int>(untimed);
  e.pace = paces(record, static_cast<std::size_t>(e.untimed));
  for (std::size_t i = 0; i < steps; ++i) {
    double longest = 0;
    for (const auto& rank : record.timing)
      longest = std::max(longest, static_cast<double>(rank[i].end_ns - rank[i].start_ns) * 1e-9);
    e.step_seconds.push_back(longest);
  }
  return e;
}

Figure figure_of(const Evidence& e) {
  Figure figure;
  std::vector<double> work;
  for (std::size_t i = static_cast<std::size_t>(e.untimed); i < e.record.steps.size(); ++i) {
    recipe::Work step;
    std::copy_n(e.record.steps[i].tokens, io::kTokenKinds, step.tokens);
    work.push_back(static_cast<double>(step.positions()));
  }
  figure.work = std::accumulate(work.begin(), work.end(), 0.0);
  figure.seconds = std::accumulate(e.pace.begin(), e.pace.end(), 0.0);
  figure.value = figure.seconds > 0 ? figure.work / figure.seconds : 0;
  const bool forward = std::all_of(e.pace.begin(), e.pace.end(), [](double s) { return s > 0; });
  if (forward) figure.within_run = stats::block_bootstrap_rate(e.pace, work, /*seed=*/1);
  return figure;
}

Rates rates_of(const Evidence& e, const Figure& figure) {
  Rates rates;
  if (!(figure.seconds > 0)) return rates;
  double held[io::kTokenKinds] = {}, model = 0, computed = 0;
  for (std::size_t i = static_cast<std::size_t>(e.untimed); i < e.record.steps.size(); ++i) {
    for (int kind = 0; kind < io::kTokenKinds; ++kind)
      held[kind] += static_cast<double>(e.record.steps[i].tokens[kind]);
    const StepFlops flops = flops_of(e, e.manifest.step(static_cast<int>(i)));
    model += static_cast<double>(flops.model);
    computed += static_cast<double>(flops.model + flops.extra);
  }
  const auto rate = [&](io::TokenKind kind) {
    return held[static_cast<int>(kind)] / figure.seconds;
  };
  rates.samples_per_s = rate(io::TokenKind::documents);
  rates.pictures_per_s = rate(io::TokenKind::pictures);
  rates.patches_per_s = rate(io::TokenKind::patches);
  rates.text_tokens_per_s = rate(io::TokenKind::text);
  rates.supervised_tokens_per_s = rate(io::TokenKind::supervised);
  if (figure.value > 0) rates.t_20m_s = 20e6 / figure.value;
  for (const io::PlanValue& value : e.record.plan_values)
    if (value.name == "machine.flops_per_s" && value.value > 0) {
      const double possible = value.value * e.record.ranks * figure.seconds;
      rates.mfu = model / possible;
      rates.hfu = computed / possible;
    }
  return rates;
}

}  // namespace

bool Judgement::valid() const { return !checks.empty() && failed() == nullptr; }

const io::Verification* Judgement::failed() const {
  const auto at = std::find_if(checks.begin(), checks.end(),
                               [](const io::Verification& check) { return !check.passed; });
  return at == checks.end() ? nullptr : &*at;
}

Judgement judge(const io::Record& record) {
  const Evidence e = evidence_of(record);
  Judgement j;
  check_pictures(e, j.checks);
  check_learning_rates(e, j.checks);
  check_work(e, j.checks);
  check_times(e, j.checks);
  check_protocol(e, j.checks, j.flags);
  check_replays(e, j.checks);
  check_losses(e, j.checks);
  check_noted(e, j.checks, j.flags);
  j.figure = figure_of(e);
  j.rates = rates_of(e, j.figure);
  j.rules = record.rules_version;
  j.kind = record.header.kind;
  j.official = e.config.window.official;
  j.model = text_of(record, "provenance/model");
  j.precision = name_of(e.config.model.precision);
  j.layout = text_of(record, "plan/layout");
  j.instruction_set = text_of(record, "provenance/instruction_set");
  const std::string& manifest = text_of(record, "plan/manifest");
  j.manifest_sha256 =
      sha256_hex({reinterpret_cast<const std::uint8_t*>(manifest.data()), manifest.size()});
  j.ranks = record.ranks;
  j.repetition = static_cast<int>(plan_value(record, "window.repetition"));
  j.repetitions = e.config.window.repetitions;
  j.setup_seconds = e.setup_seconds;
  const auto window = e.step_seconds.begin() + e.untimed;
  j.excluded_seconds.assign(e.step_seconds.begin(), window);
  j.step_seconds.assign(window, e.step_seconds.end());
  if (!e.config.train.deterministic)
    j.flags.push_back("sums in any order: replays and other layouts agree within a tolerance only");
  return j;
}

}  // namespace vlmark::judge
