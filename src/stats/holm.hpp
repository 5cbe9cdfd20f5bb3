#pragma once

#include <span>
#include <vector>

namespace vlmark::stats {

/// P-values corrected for their number, in the order given: in ascending order the k-th of m is
/// multiplied by m + 1 - k, is at most 1 and at least the one before it.
/// Source: Holm, Scandinavian Journal of Statistics 6 (1979).
std::vector<double> holm(std::span<const double> p);

}  // namespace vlmark::stats
