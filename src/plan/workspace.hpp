#pragma once

#include <algorithm>

namespace vlmark::plan {

// Scratch that kernels ask for, as functions of shapes: acquired from the arena by the same code
// when a step is recorded and when it is executed. The kernels check what they are handed.

/// Rows of partial sums for the weight gradient of a norm or bias: one per 32 rows of the input,
/// a fixed split, so that the sum does not depend on threads. [rows, width] fp32.
constexpr long column_sum_rows(long rows) { return (rows + 31) / 32; }

/// Rows of the logits that the fused head and loss holds at a time. [tile, vocab] fp32.
constexpr long logits_tile(long rows) { return std::min(rows, 128L); }

}  // namespace vlmark::plan
