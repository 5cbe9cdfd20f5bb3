#pragma once

#include <span>
#include <vector>

namespace vlmark::kernels {

/// Indices of `ids` sorted stably by id: equal ids stand side by side in their original order.
/// Negative ids are left out, so that a caller can mask tokens that send no gradient to the
/// embedding (vision tokens). Cost: n log n comparisons.
std::vector<int> sorted_order(std::span<const int> ids);

}  // namespace vlmark::kernels
