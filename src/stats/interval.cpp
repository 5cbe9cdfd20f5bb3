#include "src/stats/interval.hpp"

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "src/base/error.hpp"
#include "src/stats/summary.hpp"

namespace vlmark::stats {

const char* name_of(IntervalMethod method) {
  switch (method) {
    case IntervalMethod::none:
      return "none";
    case IntervalMethod::student_t_log:
      return "Student t on log FOM";
    case IntervalMethod::order_statistics:
      return "order statistics";
  }
  return "";
}

double order_statistic_coverage(int n, int k) {
  if (k < 1 || 2 * k > n)
    throw ValueError("order statistics: k is " + std::to_string(k) + " of n = " +
                     std::to_string(n) + " (the pair must lie on two sides). Use 1 to n / 2");
  return 1 - 2 * boost::math::cdf(boost::math::binomial(n, 0.5), k - 1);
}

RunsInterval interval_over_runs(std::span<const double> foms) {
  const std::vector<double> logs = logarithms(foms);
  const int n = static_cast<int>(foms.size());
  if (n == 1) return {};
  if (n < 6) {
    const double t =
        boost::math::quantile(boost::math::complement(boost::math::students_t(n - 1), 0.025));
    const double mean = mean_of(logs), half = t * deviation_of(logs) / std::sqrt(n);
    return {IntervalMethod::student_t_log, Interval{std::exp(mean - half), std::exp(mean + half)},
            0.95};
  }
  int k = 1;
  while (2 * (k + 1) <= n && order_statistic_coverage(n, k + 1) >= 0.95) ++k;
  std::vector<double> sorted(foms.begin(), foms.end());
  std::sort(sorted.begin(), sorted.end());
  return {IntervalMethod::order_statistics, Interval{sorted[k - 1], sorted[n - k]},
          order_statistic_coverage(n, k)};
}

}  // namespace vlmark::stats
