#pragma once

#include "kernels/shape.hpp"
#include "kernels/team.hpp"
#include "src/base/workspace.hpp"

namespace vlmark::kernels {

/// out[h] += sum_t f(t, h), for weight and bias gradients.
///
/// Blocks of kColumnSumBlock rows are summed in order into one workspace row each, then the rows
/// are joined as a binary tree: at most kColumnSumBlock + log2(rows) additions in a chain, in an
/// order that depends on `rows` alone.
///
/// | argument           | shape                                     | meaning                    |
/// |--------------------|-------------------------------------------|----------------------------|
/// | f                  | (t, h) -> float                           | summand, device-callable   |
/// | workspace          | [column_sum_workspace_rows(rows), out(0)] | overwritten; may hold more |
/// | out (in and out)   | [columns]                                 | sums are added to it       |
template <class F>
void column_sums(const char* label, const Exec& exec, int rows, Mat<float> workspace,
                 Vec<float> out, const F& f) {
  const int columns = out.extent_int(0), blocks = column_sum_workspace_rows(rows);
  if (rows == 0 || columns == 0) return;
  for_each_row(
      label, exec, blocks, KOKKOS_LAMBDA(const Team& team, int b) {
        const int begin = b * kColumnSumBlock;
        const int end = rows - begin < kColumnSumBlock ? rows : begin + kColumnSumBlock;
        for_each(team, columns, [&](int h) { workspace(b, h) = f(begin, h); });
        for (int t = begin + 1; t < end; ++t)
          for_each(team, columns, [&](int h) { workspace(b, h) += f(t, h); });
      });
  constexpr int tile = 256;  // columns of one team: a row's piece stays in the first cache level
  for_each_row(
      label, exec, (columns + tile - 1) / tile, KOKKOS_LAMBDA(const Team& team, int piece) {
        const int begin = piece * tile;
        const int width = columns - begin < tile ? columns - begin : tile;
        for (int stride = 1; stride < blocks; stride *= 2)
          for (int b = 0; b + stride < blocks; b += 2 * stride)
            for_each(team, width,
                     [&](int i) { workspace(b, begin + i) += workspace(b + stride, begin + i); });
        for_each(team, width, [&](int i) { out(begin + i) += workspace(0, begin + i); });
      });
}

/// Throws ShapeError unless `workspace` has at least `rows` rows and exactly `columns` columns.
inline void require_workspace(std::string_view where, const Mat<float>& workspace, int rows,
                              int columns) {
  if (workspace.extent_int(0) >= rows && workspace.extent_int(1) == columns) return;
  require_shape(where, "workspace", workspace, rows, columns);
}

}  // namespace vlmark::kernels
