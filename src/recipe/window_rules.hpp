#pragma once

#include <span>

namespace vlmark::recipe {

// Numbers of rule version 1.0 for an official training run.
inline constexpr double kMostSetupSeconds = 1800;   ///< R6
inline constexpr int kLeastUntimedSteps = 20;       ///< R7
inline constexpr double kMostDrift = 0.01;          ///< R7
inline constexpr int kLeastWindowSteps = 100;       ///< R9
inline constexpr double kLeastWindowSeconds = 300;  ///< R9
inline constexpr int kLeastRepetitions = 3;         ///< R10, above 1024 GPUs; else 6

/// Relative difference between the medians of the last two groups of ten (rule R7); infinite for
/// fewer than twenty numbers.
double drift(std::span<const double> step_seconds);

}  // namespace vlmark::recipe
