#pragma once

#include <span>
#include <vector>

#include "src/stats/difference.hpp"

namespace vlmark::stats {

/// P(U <= u), u = 0, 1, ..., m n, of the Mann-Whitney statistic of m and n values of one continuous
/// distribution. Up to kMostExact counted exactly, by the recurrence
///     P_{m,n}(u) = m / (m + n) P_{m-1,n}(u - n) + n / (m + n) P_{m,n-1}(u)
/// (Mann & Whitney, Annals of Mathematical Statistics 18 (1947), eq. 1); beyond by the normal
/// distribution of mean m n / 2 and variance m n (m + n + 1) / 12 with a correction of 1/2.
std::vector<double> mann_whitney_cdf(int m, int n);
inline constexpr int kMostExact = 400;  ///< m n

/// Largest P(U <= u) that is at most `tail`, for counts small enough to be exact; else `tail`.
/// 0.02 of 0.025 for m = n = 9.
double attained_tail(int m, int n, double tail);

/// Shift between logarithms `a` and `b` for 9 and more runs a side: the estimate of Hodges & Lehmann
/// (median of all b_j - a_i), its intervals and tests by inverting the Mann-Whitney test. Ties count
/// against a verdict. Source: Hollander, Wolfe & Chicken, "Nonparametric Statistical Methods", 3rd
/// ed., section 4.3.
Difference mann_whitney_difference(std::span<const double> a, std::span<const double> b,
                                   double delta);

}  // namespace vlmark::stats
