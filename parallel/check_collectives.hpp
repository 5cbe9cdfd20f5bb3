#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "parallel/communicator.hpp"

namespace vlmark::parallel {

/// Result of one collective at one size; the same on every rank.
struct CollectiveCheck {
  std::string item;          ///< "all_reduce sum fp32"
  std::size_t elements = 0;  ///< of the whole message, before it is cut into slices
  std::uint64_t wrong = 0;   ///< elements, over all ranks, that differ from the known result
};

/// Sizes with an odd one, a single element, one below a power of two and one above a large one.
inline const std::vector<std::size_t> kCheckedSizes = {1, 3, 1023, 65537};

/// Verification rule V4: runs all_reduce, reduce_scatter, all_gather, broadcast and a ring exchange
/// on inputs whose results are known exactly, and counts wrong elements.
///
///     x(r, i) = a(i) c(r) + d(r),   a in [-15, 15], c in {1, 2, 3}, d in [0, 6]
///     sum_r x(r, i) = a(i) sum_r c(r) + sum_r d(r)
///
/// All are integers and |sum| <= 51 n, so fp32 is exact in any order up to 320,000 ranks. Sums run
/// in fp32 and fp64, movement in fp32 and bf16. Reduce-scatter and all-gather slices hold
/// ceil(elements / n). Outputs are poisoned with NaN.
/// A rank's own wrong elements always count, even if the sum of the tallies is itself corrupted.
/// Collective. Throws CommError. Cost: about 10 collectives per size and 24 byte of memory per
/// element; O(n + elements) work.
std::vector<CollectiveCheck> check_collectives(
    Communicator& comm, const std::vector<std::size_t>& sizes = kCheckedSizes);

}  // namespace vlmark::parallel
