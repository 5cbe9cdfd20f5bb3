#pragma once

#include <optional>

namespace vlmark::stats {

/// What a further comparison is planned with: two series of equal length, independent runs, normal
/// logarithms of equal spread. Everything is a log ratio.
struct PlannedComparison {
  double effect = 0;     ///< true log ratio
  double deviation = 0;  ///< standard deviation of a run's logarithm
  double delta = 0;      ///< noise floor; with `from_series` its least value
  /// The noise floor is the larger spread of the two series themselves, and grows with their length.
  bool from_series = false;
  double gate = 0;      ///< of noisy runs (R15): no verdict below it
  double level = 0.05;  ///< of a verdict; divided by the number of configurations
};

/// Noise floor to be expected with n runs a side. The largest distance of 2 n normal values from their
/// median is taken as Phi^-1(1 - (5/16) / (2 n + 1/4)) standard deviations (Blom, "Statistical
/// Estimates and Transformed Beta-Variables", 1958, of absolute values); simulated means lie within
/// 0.07 of it.
double expected_delta(const PlannedComparison& plan, int n);

/// Probability that n runs a side end in FASTER or SLOWER (the one that is true), from the
/// noncentral t distribution. Against a fixed noise floor, with e = deviation sqrt(2 / n):
///     P(T(2n - 2, (|effect| - delta) / e) > t_{1 - level/2})
/// A noise floor that is a multiple k of the deviation adds k sqrt(n / 2) to the bound instead; where
/// both count, the sum of the two risks is a bound. From 9 runs on (Mann-Whitney) n is worth 3 / pi
/// of that, its efficiency at the normal distribution, and t is that of the level its counts attain.
double power_of_difference(const PlannedComparison& plan, int n);

/// The same of EQUIVALENT: P(T(., (effect + delta) / e) > t) + P(T(., (effect - delta) / e) < -t) - 1,
/// t = t_{1 - level}. Source: Phillips, Journal of Pharmacokinetics and Biopharmaceutics 18 (1990).
double power_of_equivalence(const PlannedComparison& plan, int n);

inline constexpr int kFewestRuns = 3;   ///< of a verdict (R16)
inline constexpr int kMostRuns = 1000;  ///< nobody launches more

/// Fewest runs a side, `from` or more, that end in FASTER or SLOWER (`different`), or else in
/// EQUIVALENT, with that power; beyond 40 rounded up by 5 % at most. None where kMostRuns do not
/// suffice.
std::optional<int> runs_needed(const PlannedComparison& plan, bool different, double power,
                               int from = kFewestRuns);

}  // namespace vlmark::stats
