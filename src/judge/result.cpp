#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "src/judge/judge.hpp"
#include "src/stats/summary.hpp"

namespace vlmark::judge {
namespace {

using nlohmann::ordered_json;

/// "R5,V4,V6": every rule that was checked, once.
std::string rules_of(const std::vector<io::Verification>& checks) {
  std::vector<std::string> rules;
  for (const auto& check : checks) rules.push_back(check.rule);
  std::sort(rules.begin(), rules.end());
  rules.erase(std::unique(rules.begin(), rules.end()), rules.end());
  std::string text;
  for (const std::string& rule : rules) text += (text.empty() ? "" : ",") + rule;
  return text;
}

ordered_json steps_json(const Judgement& j) {
  const stats::Summary s = stats::summarize(j.step_seconds, j.figure.work);
  return {{"window", s.count},
          {"excluded", j.excluded_seconds.size()},
          {"excluded_s", j.excluded_seconds},
          {"mean_s", s.mean},
          {"median_s", s.median},
          {"p5_s", s.p5},
          {"p95_s", s.p95},
          {"p99_s", s.p99},
          {"min_s", s.min},
          {"max_s", s.max},
          {"cv", s.cv},
          {"lag1", s.lag1}};
}

ordered_json rates_json(const Rates& r) {
  ordered_json json{{"samples_per_s", r.samples_per_s},
                    {"pictures_per_s", r.pictures_per_s},
                    {"patches_per_s", r.patches_per_s},
                    {"text_tokens_per_s", r.text_tokens_per_s},
                    {"supervised_tokens_per_s", r.supervised_tokens_per_s},
                    {"t_20m_s", r.t_20m_s}};
  if (r.mfu) json["mfu"] = *r.mfu;
  if (r.hfu) json["hfu"] = *r.hfu;
  return json;
}

}  // namespace

std::string result_json(const Judgement& j) {
  ordered_json json{{"schema", 1},        {"rules", j.rules},       {"kind", j.kind},
                    {"valid", j.valid()}, {"official", j.official}, {"flags", j.flags}};
  json["fom"] = {{"name", j.figure.name}, {"value", j.figure.value},
                 {"unit", j.figure.unit}, {"better", j.figure.better},
                 {"work", j.figure.work}, {"seconds", j.figure.seconds}};
  if (j.figure.within_run)
    json["fom"]["ci95_within_run"] = {j.figure.within_run->low, j.figure.within_run->high};
  json["rates"] = rates_json(j.rates);
  json["model"] = j.model;
  json["precision"] = j.precision;
  json["tier"] = "baseline";
  json["ranks"] = j.ranks;
  json["layout"] = j.layout;
  json["instruction_set"] = j.instruction_set;
  json["manifest_sha256"] = j.manifest_sha256;
  json["repetition"] = {{"index", j.repetition}, {"declared", j.repetitions}};
  json["setup_s"] = j.setup_seconds;
  json["steps"] = steps_json(j);
  json["checks"] = ordered_json::array();
  for (const auto& c : j.checks)
    json["checks"].push_back({{"rule", c.rule},
                              {"item", c.item},
                              {"value", c.value},
                              {"limit", c.limit},
                              {"passed", c.passed}});
  return json.dump(2) + "\n";
}

std::string rates_line(const Judgement& j) {
  const Rates& r = j.rates;
  const double steps = static_cast<double>(std::max<std::size_t>(j.step_seconds.size(), 1));
  std::string line = fmt::format(
      "rates: {:.4g} samples/s, {:.4g} pictures/s, {:.4g} patches/s, {:.4g} text tokens/s, {:.4g} "
      "supervised tokens/s, {:.4g} s/step, T_20M {:.4g} s",
      r.samples_per_s, r.pictures_per_s, r.patches_per_s, r.text_tokens_per_s,
      r.supervised_tokens_per_s, j.figure.seconds / steps, r.t_20m_s);
  if (r.mfu && r.hfu)
    line += fmt::format(", MFU {:.1f} %, HFU {:.1f} % of the measured rate of products",
                        100 * *r.mfu, 100 * *r.hfu);
  return line;
}

std::string result_line(const Judgement& j) {
  std::string verdict = j.valid() ? "VALID" : "INVALID rule=none detail=\"nothing was checked\"";
  if (const io::Verification* check = j.failed())
    verdict = fmt::format("INVALID rule={} detail=\"{} {:.4g} limit {:.4g}\"", check->rule,
                          check->item, check->value, check->limit);
  const std::string interval =
      j.figure.within_run ? fmt::format(" ci95_within_run=[{:.4g},{:.4g}]",
                                        j.figure.within_run->low, j.figure.within_run->high)
                          : "";
  return fmt::format(
      "VLMARK RESULT {} official={} checked={} fom={} value={:.4g}{} n={}/{} steps={} untimed={} "
      "model={} prec={} tier=baseline layout={} ranks={} isa={} rules={}",
      verdict, j.official ? "yes" : "no", rules_of(j.checks), j.figure.name, j.figure.value,
      interval, j.repetition, j.repetitions, j.step_seconds.size(), j.excluded_seconds.size(),
      j.model, j.precision, j.layout, j.ranks, j.instruction_set, j.rules);
}

}  // namespace vlmark::judge
