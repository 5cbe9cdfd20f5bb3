#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "src/stats/interval.hpp"

namespace vlmark::stats {

inline constexpr int kShortestBlock = 10;  ///< steps, rule R14
inline constexpr int kResamples = 2000;

/// Steps of one block for a window of `steps`: the cube root of the window (the rate at which the
/// error of the bootstrap is least: Hall, Horowitz & Jing, Biometrika 82 (1995)), at least 10.
int block_length(int steps);

/// 95 % interval of the rate (sum of work / sum of time) of one window, by the moving-block
/// bootstrap: resamples are blocks of consecutive steps, because step times can be autocorrelated,
/// of which any start is drawn alike; the interval lies between the 2.5 % and 97.5 % quantiles
/// (type 7) of kResamples rates. Source: Künsch, Annals of Statistics 17 (1989). It tells the error
/// within a run, never that between runs. None for fewer than two blocks of steps. Equal arguments
/// give equal bits. Throws ValueError when the extents differ or a time is not positive.
std::optional<Interval> block_bootstrap_rate(std::span<const double> seconds,
                                             std::span<const double> work, std::uint64_t seed);

}  // namespace vlmark::stats
