#include "src/report/run_facts.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "src/stats/summary.hpp"

namespace vlmark::report {
namespace {

/// Adds rows to one group.
class Rows {
 public:
  Rows(ShownRun& run, std::string group) : run_(run), group_(std::move(group)) {}
  void number(const char* label, double value, Unit unit, const std::string& suffix = "") {
    run_.facts.push_back({group_, label, "", value, unit, suffix});
  }
  void text(const char* label, const std::string& text) {
    if (!text.empty()) run_.facts.push_back({group_, label, text, {}, Unit::none, ""});
  }

 private:
  ShownRun& run_;
  std::string group_;
};

std::string text_of(const io::Record& record, const char* place) {
  const auto at = record.texts.find(place);
  return at == record.texts.end() ? "" : at->second;
}

/// R1's other rates.
void add_rates(const judge::Judgement& j, ShownRun& run) {
  if (!(j.figure.seconds > 0)) return;
  Rows rows(run, "Work of the window, by its time");
  rows.number("samples", j.rates.samples_per_s, Unit::none, "1/s");
  rows.number("pictures", j.rates.pictures_per_s, Unit::none, "1/s");
  rows.number("vision patches", j.rates.patches_per_s, Unit::none, "1/s");
  rows.number("text tokens", j.rates.text_tokens_per_s, Unit::none, "1/s");
  rows.number("supervised tokens", j.rates.supervised_tokens_per_s, Unit::none, "1/s");
  rows.number("20 million positions (T_20M)", j.rates.t_20m_s, Unit::seconds);
  if (j.rates.mfu) rows.number("model FLOPs of those possible (MFU)", *j.rates.mfu, Unit::fraction);
  if (j.rates.hfu)
    rows.number("computed FLOPs of those possible (HFU)", *j.rates.hfu, Unit::fraction);
}

void add_verification_times(const io::Record& record, ShownRun& run) {
  Rows rows(run, "Verification");
  for (const io::PlanValue& value : record.plan_values) {
    if (value.name == "verification.seconds") rows.number("all of it", value.value, Unit::seconds);
    if (value.name == "verification.seconds_in_window")
      rows.number("inside the window", value.value, Unit::seconds);
  }
}

void add_statistics(const judge::Judgement& j, ShownRun& run) {
  const stats::Summary s = stats::summarize(j.step_seconds, j.figure.work);
  Rows rows(run, "Steps of the window, the slowest rank of each (R13)");
  rows.number("steps", s.count, Unit::count);
  rows.number("untimed steps before", static_cast<double>(j.excluded_seconds.size()), Unit::count);
  rows.number("mean", s.mean, Unit::seconds);
  rows.number("median", s.median, Unit::seconds);
  rows.number("5 % quantile", s.p5, Unit::seconds);
  rows.number("95 % quantile", s.p95, Unit::seconds);
  rows.number("99 % quantile", s.p99, Unit::seconds);
  rows.number("least", s.min, Unit::seconds);
  rows.number("largest", s.max, Unit::seconds);
  rows.number("coefficient of variation", s.cv, Unit::fraction);
  rows.number("lag-1 autocorrelation", s.lag1, Unit::none);
}

void add_figure(const judge::Judgement& j, ShownRun& run) {
  Rows rows(run, "Figure of merit");
  rows.text("name", j.figure.name);
  rows.number("value", j.figure.value, Unit::none, j.figure.unit);
  if (j.figure.within_run) {
    rows.number("95 % within the run, low", j.figure.within_run->low, Unit::none, j.figure.unit);
    rows.number("95 % within the run, high", j.figure.within_run->high, Unit::none, j.figure.unit);
  }
  rows.number("work", j.figure.work, Unit::count, "positions");
  rows.number("time of the window", j.figure.seconds, Unit::seconds);
}

}  // namespace

void show_judgement(const judge::Judgement& j, const io::Record& record, ShownRun& run) {
  if (const io::Verification* failed = j.failed()) {
    run.standing = Standing::invalid;
    run.reason = fmt::format("Rule {} failed: {} is {:.4g}, the limit is {:.4g}.", failed->rule,
                             failed->item, failed->value, failed->limit);
  } else if (!j.valid()) {
    run.standing = Standing::invalid;
    run.reason = "Nothing was checked.";
  } else if (j.kind != "measured") {
    run.standing = Standing::not_measured;
    run.reason = fmt::format("The record is {}, not measured; its {} checks passed.", j.kind,
                             j.checks.size());
  } else {
    run.standing = Standing::valid;
    run.reason = fmt::format("All {} checks passed.", j.checks.size());
  }
  run.flags = j.flags;
  run.checks = j.checks;
  run.fom = {j.figure.name, j.figure.unit, j.figure.value, j.figure.better == "higher",
             j.figure.within_run};
  add_figure(j, run);
  add_statistics(j, run);
  add_rates(j, run);
  Rows rows(run, "Run");
  rows.text("official", j.official ? "yes" : "no (quick run)");
  rows.text("launch", fmt::format("{} of {} declared", j.repetition, j.repetitions));
  rows.text("model", j.model);
  rows.text("precision", j.precision);
  rows.text("layout", j.layout);
  rows.number("ranks", j.ranks, Unit::count);
  rows.text("instruction set", j.instruction_set);
  rows.text("rules", j.rules);
  rows.number("set-up (R6)", j.setup_seconds, Unit::seconds);
  rows.text("manifest, SHA-256", j.manifest_sha256);
  add_verification_times(record, run);
}

void show_unjudged(const io::Record& record, ShownRun& run) {
  Rows rows(run, "Run");
  rows.text("model", text_of(record, "provenance/model"));
  rows.text("layout", text_of(record, "plan/layout"));
  rows.number("ranks", record.ranks, Unit::count);
  rows.text("instruction set", text_of(record, "provenance/instruction_set"));
  rows.text("rules", record.rules_version);
  if (!record.steps.empty())
    rows.number("steps in the record", static_cast<double>(record.steps.size()), Unit::count);
  add_verification_times(record, run);
}

}  // namespace vlmark::report
