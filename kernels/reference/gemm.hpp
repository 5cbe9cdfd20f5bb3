#pragma once

#include <span>
#include <vector>

namespace vlmark::kernels::reference {

/// C = op(A) op(B) in double, op(A) [m, k] and op(B) [k, n]; A and B dense and row-major as stored.
std::vector<double> gemm(bool transpose_a, bool transpose_b, int m, int n, int k,
                         std::span<const double> a, std::span<const double> b);

}  // namespace vlmark::kernels::reference
