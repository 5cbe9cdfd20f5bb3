#include "kernels/reference/gemm.hpp"

namespace vlmark::kernels::reference {

std::vector<double> gemm(bool transpose_a, bool transpose_b, int m, int n, int k,
                         std::span<const double> a, std::span<const double> b) {
  const auto at = [](std::span<const double> x, bool transposed, int rows, int columns, int r,
                     int c) {
    const long index =
        transposed ? static_cast<long>(c) * rows + r : static_cast<long>(r) * columns + c;
    return x[static_cast<std::size_t>(index)];
  };
  std::vector<double> result(static_cast<std::size_t>(m) * static_cast<std::size_t>(n));
  for (int i = 0; i < m; ++i)
    for (int j = 0; j < n; ++j) {
      double sum = 0;
      for (int l = 0; l < k; ++l)
        sum += at(a, transpose_a, m, k, i, l) * at(b, transpose_b, k, n, l, j);
      result[static_cast<std::size_t>(i) * static_cast<std::size_t>(n) +
             static_cast<std::size_t>(j)] = sum;
    }
  return result;
}

}  // namespace vlmark::kernels::reference
