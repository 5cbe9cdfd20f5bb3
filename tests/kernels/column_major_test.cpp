#include "kernels/column_major.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "kernels/reference/gemm.hpp"
#include "tests/support/random_data.hpp"

namespace vlmark::test {
namespace {

using namespace kernels;

/// What a library that works on columns does, written out.
void multiply_columns(const ColumnMajorProduct& p, const std::vector<double>& first,
                      const std::vector<double>& second, std::vector<double>& result) {
  const auto at = [](const std::vector<double>& x, const ColumnMajorMatrix& m, Trans t,
                     std::int64_t r, std::int64_t c) {
    if (t == Trans::yes) std::swap(r, c);
    EXPECT_TRUE(r < m.rows && c < m.columns && m.leading >= m.rows);
    return x.at(static_cast<std::size_t>(r + c * m.leading));
  };
  const std::int64_t depth = p.transpose_first == Trans::yes ? p.first.rows : p.first.columns;
  for (std::int64_t r = 0; r < p.result.rows; ++r)
    for (std::int64_t c = 0; c < p.result.columns; ++c) {
      double sum = 0;
      for (std::int64_t i = 0; i < depth; ++i)
        sum += at(first, p.first, p.transpose_first, r, i) *
               at(second, p.second, p.transpose_second, i, c);
      result.at(static_cast<std::size_t>(r + c * p.result.leading)) = sum;
    }
}

/// Rows `gap` elements longer than needed.
std::vector<double> strided(const std::vector<float>& x, int rows, int columns, int gap) {
  std::vector<double> result(static_cast<std::size_t>(rows * (columns + gap)), 777);
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < columns; ++c)
      result[static_cast<std::size_t>(r * (columns + gap) + c)] =
          x[static_cast<std::size_t>(r * columns + c)];
  return result;
}

TEST(ColumnMajor, GivesTheRowMajorProductWithItsStrides) {
  const int m = 3, n = 5, k = 4;
  for (const bool ta : {false, true})
    for (const bool tb : {false, true}) {
      const auto a = gaussian(12, 1), b = gaussian(20, 2);
      const GemmShape shape{DType::f32,
                            DType::f32,
                            DType::f32,
                            ta ? Trans::yes : Trans::no,
                            tb ? Trans::yes : Trans::no,
                            m,
                            n,
                            k};
      const int a_columns = ta ? m : k, b_columns = tb ? k : n;
      const auto p = column_major_product(shape, a_columns + 2, b_columns + 1, n + 3);
      std::vector<double> c(static_cast<std::size_t>(m * (n + 3)), 777);
      multiply_columns(p, strided(b, tb ? n : k, b_columns, 1),
                       strided(a, ta ? k : m, a_columns, 2), c);
      const auto expected =
          reference::gemm(ta, tb, m, n, k, std::vector<double>(a.begin(), a.end()),
                          std::vector<double>(b.begin(), b.end()));
      for (int r = 0; r < m; ++r)
        for (int col = 0; col < n + 3; ++col)
          EXPECT_DOUBLE_EQ(c[static_cast<std::size_t>(r * (n + 3) + col)],
                           col < n ? expected[static_cast<std::size_t>(r * n + col)] : 777);
    }
}

TEST(ColumnMajor, ASingleRowMayCarryAnyStride) {
  const auto p = column_major_product(
      {DType::f32, DType::f32, DType::f32, Trans::no, Trans::yes, 1, 5, 4}, 1, 4, 1);
  EXPECT_EQ(p.second.leading, 4);
  EXPECT_EQ(p.result.leading, 5);
}

}  // namespace
}  // namespace vlmark::test
