#include "kernels/blocks.hpp"

#include "kernels/shape.hpp"
#include "kernels/team.hpp"

namespace vlmark::kernels {
namespace {

/// Blocks of `rows` rows in `blocks`; at least `least`.
int count_of(const char* where, const Mat<const float>& blocks, int rows, int columns, int least) {
  const int count = blocks.extent_int(0) / rows;
  require_shape(where, "blocks", blocks, long{count < least ? least : count} * rows, columns);
  return count;
}

/// sums += rows `row` of blocks [first, count), one below the other in a matrix, in their order.
template <class Packs>
KOKKOS_INLINE_FUNCTION void add_row(const Team& team, float* sums, Mat<const float> blocks,
                                    int rows, int row, int first, int count, Packs packs) {
  // A member of the team meets the same elements in every loop: no barrier.
  for (int k = first; k < count; ++k) {
    const float* block = row_of(blocks, k * rows + row);
    for_each(team, blocks.extent_int(1), packs, [=](auto at) {
      const auto sum = at.load(sums), x = at.load(block);
      at.store(sums, [&](int j) { return sum[j] + x[j]; });
    });
  }
}

template <class T>
void sum_impl(const Exec& exec, Mat<float> blocks, Mat<T> y) {
  const int rows = y.extent_int(0), columns = y.extent_int(1);
  if (rows == 0) return;
  const int count = count_of("sum_blocks", blocks, rows, columns, 1);
  const auto packs = packing(blocks, y);
  for_each_row(
      "vlmark::sum_blocks", exec, rows, KOKKOS_LAMBDA(const Team& team, int t) {
        float* sums = row_of(blocks, t);
        add_row(team, sums, blocks, rows, t, 1, count, packs);
        T* to = row_of(y, t);
        for_each(team, columns, packs, [=](auto at) {
          const auto sum = at.load(sums);
          at.store(to, [&](int j) { return sum[j]; });
        });
      });
}

}  // namespace

void add_blocks(const Exec& exec, Mat<const float> blocks, Mat<float> y) {
  const int rows = y.extent_int(0), columns = y.extent_int(1);
  if (rows == 0) return;
  const int count = count_of("add_blocks", blocks, rows, columns, 0);
  const auto packs = packing(blocks, y);
  for_each_row(
      "vlmark::add_blocks", exec, rows, KOKKOS_LAMBDA(const Team& team, int t) {
        add_row(team, row_of(y, t), blocks, rows, t, 0, count, packs);
      });
}

void sum_blocks(const Exec& exec, Mat<float> blocks, Mat<float> y) {
  sum_impl<float>(exec, blocks, y);
}
void sum_blocks(const Exec& exec, Mat<float> blocks, Mat<bf16> y) {
  sum_impl<bf16>(exec, blocks, y);
}

}  // namespace vlmark::kernels
