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

template <class T>
void sum_impl(const Exec& exec, Mat<float> blocks, Mat<T> y) {
  const int rows = y.extent_int(0), columns = y.extent_int(1);
  if (rows == 0) return;
  const int count = count_of("sum_blocks", blocks, rows, columns, 1);
  const auto packs = packing(blocks, y);
  for_each_row(
      "vlmark::sum_blocks", exec, rows, KOKKOS_LAMBDA(const Team& team, int t) {
        // A member of the team meets the same elements in every loop: no barrier.
        float* sums = row_of(blocks, t);
        for (int k = 1; k < count; ++k) {
          const float* block = row_of(blocks, k * rows + t);
          for_each(team, columns, packs, [=](auto at) {
            const auto sum = at.load(sums), x = at.load(block);
            at.store(sums, [&](int j) { return sum[j] + x[j]; });
          });
        }
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
        float* sums = row_of(y, t);
        for (int k = 0; k < count; ++k) {
          const float* block = row_of(blocks, k * rows + t);
          for_each(team, columns, packs, [=](auto at) {
            const auto sum = at.load(sums), x = at.load(block);
            at.store(sums, [&](int j) { return sum[j] + x[j]; });
          });
        }
      });
}

void sum_blocks(const Exec& exec, Mat<float> blocks, Mat<float> y) {
  sum_impl<float>(exec, blocks, y);
}
void sum_blocks(const Exec& exec, Mat<float> blocks, Mat<bf16> y) {
  sum_impl<bf16>(exec, blocks, y);
}

}  // namespace vlmark::kernels
