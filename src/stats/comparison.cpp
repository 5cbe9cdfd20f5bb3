#include "src/stats/comparison.hpp"

#include <algorithm>
#include <cmath>

#include "src/stats/holm.hpp"
#include "src/stats/mann_whitney.hpp"
#include "src/stats/summary.hpp"

namespace vlmark::stats {
namespace {

constexpr double kLevel = 0.05;
constexpr std::size_t kFewestOfRanks = 9;

/// Logarithms of speed: of a FOM that is better when lower, with the sign turned.
std::vector<double> log_speeds(const RunSeries& series, bool higher_is_better) {
  std::vector<double> logs = logarithms(series.foms);
  if (!higher_is_better)
    for (double& value : logs) value = -value;
  return logs;
}

/// A measured A/A series decides; without one the spread within either series does.
void set_noise(Comparison& c, const Pair& pair) {
  c.delta = std::log1p(kLeastNoise);
  const auto raise = [&c](std::span<const double> foms, NoiseSource source) {
    const double spread = spread_of(foms);
    if (spread <= c.delta) return;
    c.delta = spread;
    c.noise = source;
  };
  for (const auto& series : pair.noise) raise(series, NoiseSource::measured);
  if (!pair.noise.empty()) return;
  raise(pair.a.foms, NoiseSource::series_a);
  raise(pair.b.foms, NoiseSource::series_b);
}

Comparison measure(const Pair& pair) {
  const std::vector<double> a = log_speeds(pair.a, pair.higher_is_better),
                            b = log_speeds(pair.b, pair.higher_is_better);
  Comparison c;
  set_noise(c, pair);
  c.cv = std::max(cv_of(pair.a.foms), cv_of(pair.b.foms));
  if (pair.a.noisy || pair.b.noisy || c.cv > kNoisyCv) c.gate = std::log1p(kGateOfCv * c.cv);
  const std::size_t fewest = std::min(a.size(), b.size());
  c.difference.log_ratio = mean_of(b) - mean_of(a);
  if (fewest >= 2) c.contrast = welch_contrast(a, b);
  if (fewest >= kFewestOfRanks) {
    c.method = Method::mann_whitney;
    c.difference = mann_whitney_difference(a, b, c.delta);
  } else if (fewest >= static_cast<std::size_t>(kFewestRuns)) {
    c.method = Method::welch;
    c.difference = welch_difference(a, b, c.delta);
  }
  return c;
}

void decide(Comparison& c) {
  const double ratio = c.difference.log_ratio;
  const bool equivalent = std::abs(ratio) <= c.delta;
  c.expected = equivalent ? Verdict::equivalent : ratio > 0 ? Verdict::faster : Verdict::slower;
  if ((equivalent ? c.corrected_equivalent : c.corrected_different) > kLevel) return;
  c.gated = (equivalent ? c.delta : std::abs(ratio)) < c.gate;
  if (!c.gated) c.verdict = c.expected;
}

/// Standard deviation of a run's logarithm: of both series, else of the A/A series.
std::optional<double> deviation_of_runs(const Pair& pair) {
  double squares = 0, df = 0;
  const auto add = [&](std::span<const double> foms) {
    const double s = deviation_of(logarithms(foms)), n = static_cast<double>(foms.size()) - 1;
    squares += n * s * s;
    df += n;
  };
  add(pair.a.foms);
  add(pair.b.foms);
  if (df == 0)
    for (const auto& series : pair.noise) add(series);
  if (df == 0) return std::nullopt;
  return std::sqrt(squares / df);
}

}  // namespace

const char* name_of(Method method) {
  switch (method) {
    case Method::too_few_runs:
      return "none (fewer than 3 runs on a side)";
    case Method::welch:
      return "Welch t";
    case Method::mann_whitney:
      return "Mann-Whitney";
  }
  return "";
}

const char* name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::equivalent:
      return "EQUIVALENT";
    case Verdict::faster:
      return "FASTER";
    case Verdict::slower:
      return "SLOWER";
    case Verdict::inconclusive:
      return "INCONCLUSIVE";
  }
  return "";
}

std::vector<Comparison> compare(const std::vector<Pair>& pairs) {
  std::vector<Comparison> all;
  std::vector<double> different, equivalent;
  for (const Pair& pair : pairs) {
    all.push_back(measure(pair));
    different.push_back(all.back().difference.p_different);
    equivalent.push_back(all.back().difference.p_equivalent);
  }
  different = holm(different);
  equivalent = holm(equivalent);
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].corrected_different = different[i];
    all[i].corrected_equivalent = equivalent[i];
    decide(all[i]);
  }
  return all;
}

std::optional<int> runs_needed(const Comparison& c, const Pair& pair, std::size_t pairs,
                               double power) {
  const std::optional<double> deviation = deviation_of_runs(pair);
  if (!deviation) return std::nullopt;
  const bool from_series = pair.noise.empty();
  return runs_needed({.effect = c.difference.log_ratio,
                      .deviation = *deviation,
                      .delta = from_series ? std::log1p(kLeastNoise) : c.delta,
                      .from_series = from_series,
                      .gate = c.gate,
                      .level = kLevel / static_cast<double>(pairs)},
                     c.expected != Verdict::equivalent, power,
                     static_cast<int>(std::min(pair.a.foms.size(), pair.b.foms.size())) + 1);
}

std::optional<GeometricMean> geometric_mean(const std::vector<Comparison>& comparisons) {
  std::vector<Contrast> contrasts;
  for (const Comparison& c : comparisons) {
    if (c.method == Method::too_few_runs) return std::nullopt;
    contrasts.push_back(c.contrast);
  }
  if (contrasts.empty()) return std::nullopt;
  const Contrast mean = mean_contrast(contrasts);
  return GeometricMean{mean.mean, interval_of(mean, 0.95)};
}

}  // namespace vlmark::stats
