#include "src/stats/power.hpp"

#include <algorithm>
#include <boost/math/distributions/non_central_t.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numbers>

#include "src/stats/mann_whitney.hpp"

namespace vlmark::stats {
namespace {

using boost::math::complement;
using boost::math::non_central_t;
using boost::math::students_t;

/// From here on Mann-Whitney takes the place of Welch (src/stats/comparison.cpp).
constexpr int kFewestOfRanks = 9;

/// P(T > bound) of the noncentral t distribution; far from 0, where Boost gives up, by the normal
/// distribution (Abramowitz & Stegun, 26.7.10).
double upper_tail(double df, double centre, double bound) {
  if (std::abs(centre) > 100)
    return cdf(boost::math::normal(),
               (centre - bound * (1 - 1 / (4 * df))) / std::sqrt(1 + bound * bound / (2 * df)));
  return cdf(complement(non_central_t(df, centre), bound));
}

/// What both powers are made of.
struct Scale {
  double df, error;  ///< error of the log ratio, in deviations of a run
  double t;          ///< that leaves `tail` above it
  Scale(int n, double tail) {
    const bool ranks = n >= kFewestOfRanks;
    const double worth = ranks ? n * 3 / std::numbers::pi : n;
    df = 2 * worth - 2;
    error = std::sqrt(2 / worth);
    t = quantile(complement(students_t(df), ranks ? attained_tail(n, n, tail) : tail));
  }
};

/// Noise floor over the deviation that will be seen, where it comes from the series.
double multiple(const PlannedComparison& plan, int n, double df) {
  if (!plan.from_series) return 0;
  PlannedComparison unbounded = plan;
  unbounded.delta = 0;
  const double bias =  // expected sample deviation over the true one
      std::sqrt(2 / df) * std::exp(std::lgamma((df + 1) / 2) - std::lgamma(df / 2));
  return expected_delta(unbounded, n) / plan.deviation / bias;
}

}  // namespace

double expected_delta(const PlannedComparison& plan, int n) {
  if (!plan.from_series) return plan.delta;
  const double farthest = quantile(complement(boost::math::normal(), 0.3125 / (2 * n + 0.25)));
  return std::max(plan.delta, farthest * plan.deviation);
}

double power_of_difference(const PlannedComparison& plan, int n) {
  if (std::abs(plan.effect) < plan.gate) return 0;
  if (plan.deviation <= 0) return std::abs(plan.effect) > plan.delta ? 1 : 0;
  const Scale scale(n, plan.level / 2);
  const double error = plan.deviation * scale.error;
  const double fixed = upper_tail(scale.df, (std::abs(plan.effect) - plan.delta) / error, scale.t);
  if (!plan.from_series) return fixed;
  const double bound = scale.t + multiple(plan, n, scale.df) / scale.error;
  return std::max(0.0, fixed + upper_tail(scale.df, std::abs(plan.effect) / error, bound) - 1);
}

double power_of_equivalence(const PlannedComparison& plan, int n) {
  if (expected_delta(plan, n) < plan.gate) return 0;
  if (plan.deviation <= 0) return std::abs(plan.effect) < plan.delta ? 1 : 0;
  const Scale scale(n, plan.level);
  const double error = plan.deviation * scale.error;
  const double above = (plan.effect + plan.delta) / error,
               below = (plan.effect - plan.delta) / error;
  double power = upper_tail(scale.df, above, scale.t) - upper_tail(scale.df, below, -scale.t);
  if (const double bound = multiple(plan, n, scale.df) / scale.error - scale.t; bound > 0) {
    const double seen = plan.effect / error;
    power = std::max(power, upper_tail(scale.df, seen, -bound) - upper_tail(scale.df, seen, bound));
  }
  return std::max(0.0, power);
}

std::optional<int> runs_needed(const PlannedComparison& plan, bool different, double power,
                               int from) {
  const auto power_of = different ? power_of_difference : power_of_equivalence;
  for (int n = std::max(from, kFewestRuns); n <= kMostRuns; n += std::max(1, n / 20))
    if (power_of(plan, n) >= power) return n;
  return std::nullopt;
}

}  // namespace vlmark::stats
