#pragma once

#include "kernels/shape.hpp"
#include "kernels/team.hpp"
#include "src/base/workspace.hpp"

namespace vlmark::kernels {

/// sums[i] += x[i] for the elements of a pack.
template <int width>
KOKKOS_INLINE_FUNCTION void add(Pack<width> at, float* sums, const Values<float, width>& x) {
  const auto sum = at.load(sums);
  at.store(sums, [&](int j) { return sum[j] + x[j]; });
}

/// The summands of a bias gradient.
template <class T>
struct ValuesOfRow {
  Mat<const T> x;
  template <int width>
  KOKKOS_INLINE_FUNCTION Values<float, width> operator()(int t, Pack<width> at) const {
    return at.load(row_of(x, t));
  }
};

/// out[h] += sum_t f(t, h), for weight and bias gradients.
///
/// Blocks of kColumnSumBlock rows are summed in order into one workspace row each, then the rows
/// are joined as a binary tree: at most kColumnSumBlock + log2(rows) additions in a chain, in an
/// order that depends on `rows` alone.
///
/// | argument           | shape                                     | meaning                    |
/// |--------------------|-------------------------------------------|----------------------------|
/// | f                  | (t, pack) -> Values                       | summands, device-callable  |
/// | workspace          | [column_sum_workspace_rows(rows), out(0)] | overwritten; may hold more |
/// | out (in and out)   | [columns]                                 | sums are added to it       |
/// | packs              |                                           | of what `f` reads          |
template <class F, int width>
void column_sums(const char* label, const Exec& exec, int rows, Mat<float> workspace,
                 Vec<float> out, const F& f, Packing<width> packs) {
  const int columns = out.extent_int(0), blocks = column_sum_workspace_rows(rows);
  if (rows == 0 || columns == 0) return;
  const auto all_packs = packs.only_if(packing(workspace, out).aligned);
  for_each_row(
      label, exec, blocks, KOKKOS_LAMBDA(const Team& team, int b) {
        const int begin = b * kColumnSumBlock;
        const int end = rows - begin < kColumnSumBlock ? rows : begin + kColumnSumBlock;
        float* sums = row_of(workspace, b);
        for_each(team, columns, all_packs, [&](auto at) { at.assign(sums, f(begin, at)); });
        for (int t = begin + 1; t < end; ++t)
          for_each(team, columns, all_packs, [&](auto at) { add(at, sums, f(t, at)); });
      });
  constexpr int tile = 256;  // columns of one team: a row's piece stays in the first cache level
  for_each_row(
      label, exec, (columns + tile - 1) / tile, KOKKOS_LAMBDA(const Team& team, int piece) {
        const int begin = piece * tile;
        const int length = smaller(columns - begin, tile);
        const auto add_rows = [&](float* sums, const float* row) {
          for_each(team, length, all_packs, [=](auto at) { add(at, sums, at.load(row)); });
        };
        for (int stride = 1; stride < blocks; stride *= 2)
          for (int b = 0; b + stride < blocks; b += 2 * stride)
            add_rows(row_of(workspace, b) + begin, row_of(workspace, b + stride) + begin);
        add_rows(out.data() + begin, row_of(workspace, 0) + begin);
      });
}

/// Throws ShapeError unless `workspace` has at least `rows` rows and exactly `columns` columns.
inline void require_workspace(std::string_view where, const Mat<float>& workspace, int rows,
                              int columns) {
  if (workspace.extent_int(0) >= rows && workspace.extent_int(1) == columns) return;
  require_shape(where, "workspace", workspace, rows, columns);
}

}  // namespace vlmark::kernels
