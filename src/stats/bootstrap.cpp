#include "src/stats/bootstrap.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "src/base/error.hpp"
#include "src/base/philox.hpp"
#include "src/stats/summary.hpp"

namespace vlmark::stats {

int block_length(int steps) {
  return std::max(kShortestBlock, static_cast<int>(std::cbrt(static_cast<double>(steps))));
}

std::optional<Interval> block_bootstrap_rate(std::span<const double> seconds,
                                             std::span<const double> work, std::uint64_t seed) {
  if (seconds.size() != work.size())
    throw ValueError("bootstrap: " + std::to_string(seconds.size()) + " step times and " +
                     std::to_string(work.size()) +
                     " amounts of work (each step has both). Give as many of each");
  for (const double value : seconds)
    if (!(value > 0) || !std::isfinite(value))
      throw ValueError("bootstrap: a step time is " + std::to_string(value) +
                       " (each must be positive and finite). Look for damage in the record");
  const int steps = static_cast<int>(seconds.size()), block = block_length(steps);
  if (steps < 2 * block) return std::nullopt;
  const Philox random(seed, "moving-block bootstrap");
  std::uint64_t draw = 0;
  std::vector<double> rates;
  for (int resample = 0; resample < kResamples; ++resample) {
    double total_work = 0, total_seconds = 0;
    for (int filled = 0; filled < steps; filled += block) {
      const auto start =
          static_cast<int>(random.below(draw++, static_cast<std::uint64_t>(steps - block + 1)));
      for (int i = start; i < start + std::min(block, steps - filled); ++i) {
        total_work += work[i];
        total_seconds += seconds[i];
      }
    }
    rates.push_back(total_work / total_seconds);
  }
  std::sort(rates.begin(), rates.end());
  return Interval{quantile(rates, 0.025), quantile(rates, 0.975)};
}

}  // namespace vlmark::stats
