#pragma once

#include "src/stats/interval.hpp"

namespace vlmark::stats {

/// A log ratio of two series with its intervals and tests against a noise floor `delta`.
struct Difference {
  double log_ratio = 0;     ///< above 0: B is larger
  Interval ci90, ci95;      ///< of log_ratio
  double p_different = 1;   ///< of |log ratio| <= delta; below 0.05 where ci95 excludes +-delta
  double p_equivalent = 1;  ///< of |log ratio| >= delta; below 0.05 where ci90 lies within +-delta
};

}  // namespace vlmark::stats
