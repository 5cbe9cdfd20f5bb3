#pragma once

#include <optional>
#include <vector>

#include "src/stats/difference.hpp"
#include "src/stats/power.hpp"
#include "src/stats/welch.hpp"

namespace vlmark::stats {

// The verdict of rule R16 on two series of runs; docs/comparison.md tells it in words.

inline constexpr double kLeastNoise = 0.005;  ///< relative, R16
inline constexpr double kNoisyCv = 0.02;      ///< over runs, R15
inline constexpr double kGateOfCv = 3.04;     ///< times CV, R15

/// Runs of one system.
struct RunSeries {
  std::vector<double> foms;
  bool noisy = false;  ///< a run carries that flag
};

/// A pair of series to compare, with what was measured of their noise besides.
struct Pair {
  RunSeries a, b;                          ///< a is the base case
  bool higher_is_better = true;            ///< of the FOM
  std::vector<std::vector<double>> noise;  ///< A/A series of either system
};

enum class Method { too_few_runs, welch, mann_whitney };
const char* name_of(Method method);

enum class NoiseSource { least, measured, series_a, series_b };

enum class Verdict { equivalent, faster, slower, inconclusive };
/// "EQUIVALENT", "FASTER", "SLOWER", "INCONCLUSIVE".
const char* name_of(Verdict verdict);

/// All ratios are logarithms of the speed of b over that of a: above 0, b is faster, whichever way
/// its FOM is better.
struct Comparison {
  Method method = Method::too_few_runs;
  Difference difference;  ///< without intervals where there are too few runs
  Contrast contrast;      ///< of the means, for geometric means over configurations
  double delta = 0;       ///< noise floor
  NoiseSource noise = NoiseSource::least;
  double cv = 0;    ///< over runs, of the noisier series
  double gate = 0;  ///< no verdict below it; 0 unless the runs are noisy
  double corrected_different = 1, corrected_equivalent = 1;  ///< p-values after Holm
  Verdict verdict = Verdict::inconclusive;
  Verdict expected = Verdict::inconclusive;  ///< of enough runs, were the ratio as seen
  bool gated = false;  ///< the runs are too noisy for the verdict they would give
};

/// Compares every pair: Welch t for 3 to 8 runs on a side, Mann-Whitney where both have 9 or more;
/// p-values of either verdict corrected by Holm over all pairs; the gate of noisy runs.
/// Throws ValueError for a series without runs, or a FOM that is not positive and finite.
std::vector<Comparison> compare(const std::vector<Pair>& pairs);

/// Runs of each side, more than there are, that would end an inconclusive comparison, one of `pairs`,
/// with that power, were the ratio and the spread as seen: in EQUIVALENT where the ratio lies within
/// the noise floor, else in FASTER or SLOWER. None where no number is enough or the spread is not
/// known.
std::optional<int> runs_needed(const Comparison& comparison, const Pair& pair, std::size_t pairs,
                               double power);

/// Geometric mean of the ratios of all pairs and its 95 % interval, as logarithms; none where a pair
/// has too few runs.
struct GeometricMean {
  double log_ratio = 0;
  Interval ci95;
};
std::optional<GeometricMean> geometric_mean(const std::vector<Comparison>& comparisons);

}  // namespace vlmark::stats
