#include "kernels/embedding.hpp"

#include "kernels/indices.hpp"
#include "kernels/shape.hpp"
#include "kernels/team.hpp"
#include "src/base/contracts.hpp"

namespace vlmark::kernels {
namespace {

template <class T>
void gather_impl(const Exec& exec, Vec<const int> ids, Mat<const T> table, Mat<T> y) {
  const int tokens = ids.extent_int(0), hidden = table.extent_int(1);
  require_shape("embedding_gather", "y", y, tokens, hidden);
  expects(all_below(exec, ids, table.extent_int(0)));
  const auto packs = packing(table, y);
  for_each_row(
      "vlmark::embedding_gather", exec, tokens, KOKKOS_LAMBDA(const Team& team, int t) {
        const T* from = row_of(table, ids(t));
        T* to = row_of(y, t);
        for_each(team, hidden, packs, [=](auto at) { at.assign(to, at.copy(from)); });
      });
}

template <class T>
void scatter_add_impl(const Exec& exec, Mat<const T> dy, Vec<const int> order, Vec<const int> ids,
                      Mat<float> d_table) {
  const int tokens = dy.extent_int(0), hidden = dy.extent_int(1), count = order.extent_int(0);
  require_shape("embedding_scatter_add", "ids", ids, tokens);
  require_shape("embedding_scatter_add", "d_table", d_table, d_table.extent_int(0), hidden);
  if (count > tokens) require_shape("embedding_scatter_add", "order", order, tokens);
  expects(all_below(exec, order, tokens));
  const auto packs = packing(dy, d_table);
  for_each_row(
      "vlmark::embedding_scatter_add", exec, count, KOKKOS_LAMBDA(const Team& team, int first) {
        const int id = ids(order(first));
        if (first > 0 && ids(order(first - 1)) == id) return;  // inside another team's run
        float* sums = row_of(d_table, id);
        for (int i = first; i < count && ids(order(i)) == id; ++i) {
          const T* row = row_of(dy, order(i));
          for_each(team, hidden, packs, [=](auto at) {
            const auto sum = at.load(sums), x = at.load(row);
            at.store(sums, [&](int j) { return sum[j] + x[j]; });
          });
        }
      });
}

}  // namespace

void embedding_gather(const Exec& exec, Vec<const int> ids, Mat<const float> table, Mat<float> y) {
  gather_impl<float>(exec, ids, table, y);
}
void embedding_gather(const Exec& exec, Vec<const int> ids, Mat<const bf16> table, Mat<bf16> y) {
  gather_impl<bf16>(exec, ids, table, y);
}

void embedding_scatter_add(const Exec& exec, Mat<const float> dy, Vec<const int> order,
                           Vec<const int> ids, Mat<float> d_table) {
  scatter_add_impl<float>(exec, dy, order, ids, d_table);
}
void embedding_scatter_add(const Exec& exec, Mat<const bf16> dy, Vec<const int> order,
                           Vec<const int> ids, Mat<float> d_table) {
  scatter_add_impl<bf16>(exec, dy, order, ids, d_table);
}

}  // namespace vlmark::kernels
