#pragma once

#include <optional>
#include <span>

namespace vlmark::stats {

struct Interval {
  double low = 0, high = 0;
};

/// How the 95 % interval over runs was formed (rule R14).
enum class IntervalMethod {
  none,             ///< one run: nothing is known of the spread
  student_t_log,    ///< 2 to 5 runs
  order_statistics  ///< 6 and more
};
/// "none", "Student t on log FOM", "order statistics".
const char* name_of(IntervalMethod method);

struct RunsInterval {
  IntervalMethod method = IntervalMethod::none;
  std::optional<Interval> interval;
  double coverage = 0;  ///< exact for order statistics; 0.95 for Student t, where log FOM is normal
};

/// Probability that the median of a continuous distribution lies between the k-th smallest and the
/// k-th largest of n values: 1 - 2 P(Binomial(n, 1/2) < k). Source: David & Nagaraja, "Order
/// Statistics", 3rd ed., section 7.1. 0.9688 for n = 6, k = 1; 0.9375 for n = 5.
/// Throws ValueError unless 1 <= k <= n / 2.
double order_statistic_coverage(int n, int k);

/// 95 % interval of a series of run FOMs. With 6 and more the narrowest pair of order statistics
/// that covers the median with at least 95 %; with 2 to 5 mean +- t s / sqrt(n) of the logarithms,
/// exponentiated (an interval of the geometric mean). Throws ValueError for none, or a value that is
/// not positive and finite.
RunsInterval interval_over_runs(std::span<const double> foms);

}  // namespace vlmark::stats
