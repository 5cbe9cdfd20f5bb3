#pragma once

#include <span>
#include <vector>

#include "src/stats/difference.hpp"

namespace vlmark::stats {

/// Difference of two means and its error, by Welch and Satterthwaite.
struct Contrast {
  double mean = 0;            ///< mean of b - mean of a
  double standard_error = 0;  ///< sqrt(s_a^2 / n_a + s_b^2 / n_b)
  double df = 1;              ///< degrees of freedom
};
/// Source: Welch, Biometrika 34 (1947). Throws ValueError for fewer than two values on a side.
Contrast welch_contrast(std::span<const double> a, std::span<const double> b);

/// Mean of independent contrasts with the errors propagated (rule R17: geometric means of ratios
/// only, since contrasts are of logarithms).
Contrast mean_contrast(const std::vector<Contrast>& contrasts);

/// Interval of a contrast at `level` by Student's t.
Interval interval_of(const Contrast& contrast, double level);

/// Difference of the means of logarithms `a` and `b` by Welch's t test, for 3 to 8 runs a side.
Difference welch_difference(std::span<const double> a, std::span<const double> b, double delta);

}  // namespace vlmark::stats
