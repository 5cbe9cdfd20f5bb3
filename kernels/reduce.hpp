#pragma once

#include <cstddef>

#include "kernels/stochastic_rounding.hpp"
#include "kernels/types.hpp"

namespace vlmark::kernels {

/// sums[b] = sum of x[i]^2 over block b = [b * block, (b + 1) * block), in double; the parts of a
/// gradient norm that does not depend on how a tensor is sliced over ranks.
///
/// | argument   | shape           | meaning                           |
/// |------------|-----------------|-----------------------------------|
/// | x          | [n]             |                                   |
/// | block      | scalar > 0      | elements of a block, last shorter |
/// | sums (out) | [ceil(n/block)] | overwritten                       |
///
/// Throws ShapeError, ValueError. Cost: 2*n flop, 4*n or 2*n byte.
void block_square_sums(const Exec& exec, Vec<const float> x, int block, Vec<double> sums);
void block_square_sums(const Exec& exec, Vec<const bf16> x, int block, Vec<double> sums);

/// a += b, both [n]. Throws ShapeError. Cost: n flop, 12*n byte.
void add_in_place(const Exec& exec, Vec<float> a, Vec<const float> b);
/// The same added in fp32 and rounded stochastically, by the low 16 bits of each element's block.
/// `random` is of element 0. Cost: n flop and one Philox block an element, 6*n or 8*n byte.
void add_in_place(const Exec& exec, Vec<bf16> a, Vec<const bf16> b, const RoundingBits& random);
void add_in_place(const Exec& exec, Vec<bf16> a, Vec<const float> b, const RoundingBits& random);

/// Number of NaN and infinite elements. Waits for `exec`. Cost: 4*n or 2*n byte.
std::size_t count_non_finite(const Exec& exec, Vec<const float> x);
std::size_t count_non_finite(const Exec& exec, Vec<const bf16> x);

}  // namespace vlmark::kernels
