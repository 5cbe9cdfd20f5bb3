#pragma once

#include "kernels/float_vector.hpp"
#include "kernels/team.hpp"

// Register-blocked products of small fp32 tiles that lie in scratch: the inner loops of the tiled
// GEMM and of attention.

namespace vlmark::kernels {

/// Rows and columns of a register block: 12 accumulators of 16 vector registers on AVX2. Small
/// blocks on a device, whose tiles must keep more threads busy.
inline constexpr int kMicroRows = per_back_end(6, 2);
inline constexpr int kMicroColumns = 2 * kVector;

KOKKOS_INLINE_FUNCTION constexpr int round_up(int n, int multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

/// A operand of a product: element (i, l) at
/// data[(i / kMicroRows) * block + i % kMicroRows * row + l * step]; strides in elements, so that a
/// transposed tile needs no copy.
struct TileA {
  const float* data;
  int row, step, block;
};
/// Rows at equal distances.
KOKKOS_INLINE_FUNCTION TileA tile_rows(const float* data, int row, int step) {
  return {data, row, step, kMicroRows * row};
}
/// B operand: element (l, j) at data[(j / width) * panel + l * row + j % width] with
/// width = kMicroColumns: packed panels (row = width) or plain rows (panel = width).
struct TileB {
  const float* data;
  int row, panel;
};
/// Plain row-major tile whose width is a multiple of kMicroColumns.
KOKKOS_INLINE_FUNCTION TileB plain_rows(const float* data, int row) {
  return {data, row, kMicroColumns};
}

/// Products summed one after another before the sum is set aside in C: bounds the roundings of a sum
/// of k products to kChain + k / kChain instead of k, for about 2 % of the time.
inline constexpr int kChain = 64;

/// c[0..Rows, 0..kMicroColumns) = a b + (accumulate ? c : 0), l rising, in chains of kChain.
template <int Rows>
KOKKOS_INLINE_FUNCTION void micro_product(int k, const float* a, int a_row, int a_step,
                                          const float* b, int b_row, float* c, int c_row,
                                          bool accumulate) {
  for (int begin = 0; begin < k; begin += kChain, accumulate = true) {
    FloatVector sum[Rows][2];
#pragma GCC unroll 6
    for (int i = 0; i < Rows; ++i) {
      sum[i][0] = FloatVector{};
      sum[i][1] = FloatVector{};
    }
    const int length = k - begin < kChain ? k - begin : kChain;
    for (int l = 0; l < length; ++l) {
      const FloatVector b0 = load_vector(b), b1 = load_vector(b + kVector);
#pragma GCC unroll 6
      for (int i = 0; i < Rows; ++i) {
        sum[i][0] = sum[i][0] + a[i * a_row] * b0;
        sum[i][1] = sum[i][1] + a[i * a_row] * b1;
      }
      a += a_step;
      b += b_row;
    }
#pragma GCC unroll 6
    for (int i = 0; i < Rows; ++i) {
      float* row = c + i * c_row;
      if (accumulate) {
        sum[i][0] = sum[i][0] + load_vector(row);
        sum[i][1] = sum[i][1] + load_vector(row + kVector);
      }
      store_vector(row, sum[i][0]);
      store_vector(row + kVector, sum[i][1]);
    }
  }
}

/// c[m, n] (+)= a[m, k] b[k, n], shared out over the team in register blocks; n is rounded up to
/// kMicroColumns, so b and c must be that wide; k is at least 1. No barrier. Each element is summed
/// over l in rising order by one member: bits depend on k alone.
KOKKOS_INLINE_FUNCTION void tile_product(const Team& team, int m, int n, int k, const TileA& a,
                                         const TileB& b, float* c, int c_row, bool accumulate) {
  const int row_blocks = (m + kMicroRows - 1) / kMicroRows;
  const int column_blocks = (n + kMicroColumns - 1) / kMicroColumns;
  // Row blocks run fastest: one panel of b stays in the first-level cache meanwhile.
  for_each(team, row_blocks * column_blocks, [=](int block) {
    const int i = block % row_blocks * kMicroRows, j = block / row_blocks;
    const float* a_block = a.data + block % row_blocks * a.block;
    const float* b_block = b.data + j * b.panel;
    float* c_block = c + i * c_row + j * kMicroColumns;
    const auto run = [&]<int Rows>() {
      micro_product<Rows>(k, a_block, a.row, a.step, b_block, b.row, c_block, c_row, accumulate);
    };
    switch (m - i) {
      case 1:
        return run.template operator()<1>();
      case 2:
        return run.template operator()<2>();
      case 3:
        return run.template operator()<smaller(3, kMicroRows)>();
      case 4:
        return run.template operator()<smaller(4, kMicroRows)>();
      case 5:
        return run.template operator()<smaller(5, kMicroRows)>();
      default:
        return run.template operator()<smaller(6, kMicroRows)>();
    }
  });
}

}  // namespace vlmark::kernels
