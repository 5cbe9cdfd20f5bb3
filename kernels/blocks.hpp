#pragma once

#include "kernels/types.hpp"

namespace vlmark::kernels {

/// Adds blocks of equal shape that stand below each other, one after the other:
///
///     y <- (((y + b_0) + b_1) + ...),      b_k = blocks[k rows ... (k + 1) rows, :]
///
/// The partial sums of tensor-parallel ranks in rank order, hence the same bits in whatever order
/// they arrived. blocks: [count * rows, columns] fp32; y: [rows, columns], fp32. Throws ShapeError.
/// Cost: count*rows*columns flop, 4*(count + 2)*rows*columns byte.
void add_blocks(const Exec& exec, Mat<const float> blocks, Mat<float> y);

/// y = ((b_0 + b_1) + ...) of at least one block, summed in fp32, which b_0 is used up for, and
/// rounded once to the type of y. Otherwise as add_blocks.
void sum_blocks(const Exec& exec, Mat<float> blocks, Mat<float> y);
void sum_blocks(const Exec& exec, Mat<float> blocks, Mat<bf16> y);

}  // namespace vlmark::kernels
