#include "src/report/verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "src/io/record.hpp"

namespace vlmark::report {
namespace {

bool finite(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); });
}

/// "V4,V5,V6": every rule that stands in the table, once, in its order.
std::string rules_of(const std::vector<io::Verification>& checks) {
  std::vector<std::string> rules;
  for (const auto& check : checks)
    if (std::find(rules.begin(), rules.end(), check.rule) == rules.end())
      rules.push_back(check.rule);
  std::sort(rules.begin(), rules.end());
  std::string text;
  for (const std::string& rule : rules) text += (text.empty() ? "" : ",") + rule;
  return text;
}

}  // namespace

io::Verification collective_check(const std::string& item, std::uint64_t elements,
                                  std::uint64_t wrong) {
  return {"V4", fmt::format("{}, {} elements: wrong", item, elements), static_cast<double>(wrong),
          0, wrong == 0};
}

std::vector<io::Verification> loss_checks(const std::vector<double>& losses,
                                          const std::vector<double>& grad_norms,
                                          std::uint64_t non_finite_parameters, int vocab,
                                          double ratio_limit) {
  const auto not_finite = static_cast<double>(!finite(losses)) +
                          static_cast<double>(!finite(grad_norms)) +
                          static_cast<double>(non_finite_parameters);
  std::vector<io::Verification> checks{
      {"V5", "NaN or infinite losses, norms, parameters", not_finite, 0, not_finite == 0}};
  if (losses.empty()) return checks;
  const auto last = static_cast<std::ptrdiff_t>(std::min<std::size_t>(5, losses.size()));
  const double end =
      std::accumulate(losses.end() - last, losses.end(), 0.0) / static_cast<double>(last);
  const double ratio = end / losses.front();
  checks.push_back({"V5", "last / first loss", ratio, ratio_limit, ratio < ratio_limit});
  const double chance = std::log(static_cast<double>(vocab));
  const double distance = std::abs(end - chance) / chance;
  checks.push_back(
      {"V5", "relative distance of the last loss from ln(vocab)", distance, 1e-3, distance > 1e-3});
  return checks;
}

io::Verification replica_check(const std::string& item, int ranks, int different) {
  return {"V6", fmt::format("{}: replicas of {} that differ", item, ranks),
          static_cast<double>(different), 0, different == 0};
}

bool valid(const std::vector<io::Verification>& checks) {
  return !checks.empty() &&
         std::all_of(checks.begin(), checks.end(), [](const auto& c) { return c.passed; });
}

std::string result_line(const std::vector<io::Verification>& checks, const Claim& claim) {
  std::string verdict = "VALID";
  if (checks.empty()) verdict = "INVALID rule=none detail=\"nothing was checked\"";
  for (const auto& check : checks) {
    if (check.passed) continue;
    verdict = fmt::format("INVALID rule={} detail=\"{} {:.4g} limit {:.4g}\"", check.rule,
                          check.item, check.value, check.limit);
    break;
  }
  return fmt::format(
      "VLMARK RESULT {} official=no checked={} fom={} value={:.4g} steps={} untimed={} model={} "
      "prec={} ranks={} isa={} rules={}",
      verdict, rules_of(checks), claim.fom, claim.value, claim.steps, claim.untimed_steps,
      claim.model, claim.precision, claim.ranks, claim.instruction_set, io::kRulesVersion);
}

}  // namespace vlmark::report
