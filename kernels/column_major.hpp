#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/gemm_shape.hpp"

namespace vlmark::kernels {

/// Element (r, c) lies at r + c * leading.
struct ColumnMajorMatrix {
  std::int64_t rows, columns, leading;
};

/// result = op(first) op(second), every matrix by columns.
struct ColumnMajorProduct {
  Trans transpose_first, transpose_second;
  ColumnMajorMatrix first, second, result;
};

/// The row-major product C = op(A) op(B) for a library that works on columns: a row-major X is X^T
/// to it, so it forms C^T = op(B)^T op(A)^T; first is B, second is A. A vector along the rows of
/// `result` is one along the columns of C. The arguments are the distances of rows in elements; a
/// single row may carry any, a library asks for at least its length.
inline ColumnMajorProduct column_major_product(const GemmShape& s, std::int64_t a_row,
                                               std::int64_t b_row, std::int64_t c_row) {
  const auto by_columns = [](std::int64_t rows, std::int64_t row_length, std::int64_t row) {
    return ColumnMajorMatrix{row_length, rows, std::max(row, row_length)};
  };
  return {s.tb, s.ta,
          s.tb == Trans::yes ? by_columns(s.n, s.k, b_row) : by_columns(s.k, s.n, b_row),
          s.ta == Trans::yes ? by_columns(s.k, s.m, a_row) : by_columns(s.m, s.k, a_row),
          by_columns(s.m, s.n, c_row)};
}

}  // namespace vlmark::kernels
