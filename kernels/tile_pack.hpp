#pragma once

#include "kernels/tile_product.hpp"

// Copies of blocks of a matrix into scratch, as fp32, in the two forms that tile_product reads.
// All share their work out over the team and end without a barrier.

namespace vlmark::kernels {

/// to[r * to_row + c] = factor * from[r * from_row + c]; columns [columns, to_columns) become 0.
template <class T>
KOKKOS_INLINE_FUNCTION void pack_rows(const Team& team, const T* from, long from_row, int rows,
                                      int columns, float factor, float* to, int to_row,
                                      int to_columns) {
  for_each(team, rows, [=](int r) {
    const T* source = from + r * from_row;
    float* target = to + r * to_row;
    for (int c = 0; c < columns; ++c) target[c] = factor * widen(source[c]);
    for (int c = columns; c < to_columns; ++c) target[c] = 0;
  });
}

/// Blocks of A = X^T with X [k, m] row-major: block b holds columns [b w, b w + w) of X as [k][w],
/// w = kMicroRows, from b * block on; what stands there of columns beyond m is undefined.
template <class T>
KOKKOS_INLINE_FUNCTION void pack_row_blocks(const Team& team, const T* from, long from_row, int k,
                                            int m, float* to, int block) {
  for_each(team, k, [=](int l) {
    const T* source = from + l * from_row;
    float* target = to + l * kMicroRows;
    int i = 0;
    for (; i + kMicroRows <= m; i += kMicroRows) {
#pragma GCC unroll 6
      for (int r = 0; r < kMicroRows; ++r) target[r] = widen(source[i + r]);
      target += block;
    }
    for (int r = 0; i + r < m; ++r) target[r] = widen(source[i + r]);
  });
}

/// Panels of B = X with X [k, n] row-major: panel p holds columns [p w, p w + w) of X as [k][w],
/// w = kMicroColumns, from p * panel on; columns beyond n become 0.
template <class T>
KOKKOS_INLINE_FUNCTION void pack_panels(const Team& team, const T* from, long from_row, int k,
                                        int n, float* to, int panel) {
  for_each(team, k, [=](int l) {
    const T* source = from + l * from_row;
    float* target = to + l * kMicroColumns;
    const int whole = n / kMicroColumns * kMicroColumns;
    for (int c = 0; c < whole; c += kMicroColumns) {
      store_vector(target, load_vector(source + c));
      store_vector(target + kVector, load_vector(source + c + kVector));
      target += panel;
    }
    if (whole == n) return;
    for (int c = 0; c < kMicroColumns; ++c)
      target[c] = whole + c < n ? widen(source[whole + c]) : 0.0f;
  });
}

/// Panels of B = X^T with X [n, k] row-major: panel p holds rows [p w, p w + w) of X as [k][w],
/// from p * panel on; rows beyond n become 0.
template <class T>
KOKKOS_INLINE_FUNCTION void pack_transposed_panels(const Team& team, const T* from, long from_row,
                                                   int n, int k, float* to, int panel) {
  for_each(team, (n + kMicroColumns - 1) / kMicroColumns, [=](int p) {
    const T* source = from + p * kMicroColumns * from_row;
    float* target = to + p * panel;
    const int rows = n - p * kMicroColumns;
    const int whole = rows >= kMicroColumns ? kMicroColumns : rows / 8 * 8;
    const int whole_k = k / 8 * 8;
    for (int l = 0; l < whole_k; l += 8)
      for (int r = 0; r < whole; r += 8)
        transpose_8x8(source + r * from_row + l, from_row, target + l * kMicroColumns + r,
                      kMicroColumns);
    for (int r = 0; r < kMicroColumns; ++r)
      for (int l = r < whole ? whole_k : 0; l < k; ++l)
        target[l * kMicroColumns + r] = r < rows ? widen(source[r * from_row + l]) : 0.0f;
  });
}

}  // namespace vlmark::kernels
