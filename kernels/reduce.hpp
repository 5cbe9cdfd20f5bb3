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

/// mean[i] = rows[0][i] + (sum over r > 0 of rows[r][i] - rows[0][i]) / R, added in the order of
/// rows: equal rows give their own bits for every R. `mean` may be row 0.
///
/// | argument   | shape        | meaning     |
/// |------------|--------------|-------------|
/// | rows       | [R > 0, n]   |             |
/// | mean (out) | [n]          | overwritten |
///
/// Throws ShapeError. Cost: 2*R*n flop, 4*(R+1)*n byte.
void mean_of_rows(const Exec& exec, Mat<const float> rows, Vec<float> mean);

/// Number of NaN and infinite elements. Waits for `exec`. Cost: 4*n or 2*n byte.
std::size_t count_non_finite(const Exec& exec, Vec<const float> x);
std::size_t count_non_finite(const Exec& exec, Vec<const bf16> x);

}  // namespace vlmark::kernels
