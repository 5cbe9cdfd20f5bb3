#include "kernels/rows.hpp"

#include "kernels/column_sums.hpp"
#include "kernels/indices.hpp"
#include "kernels/shape.hpp"
#include "kernels/team.hpp"
#include "src/base/contracts.hpp"

namespace vlmark::kernels {
namespace {

template <class T>
void gather_impl(const Exec& exec, Mat<const T> x, Vec<const int> source, Mat<T> y) {
  const int n = source.extent_int(0), columns = x.extent_int(1);
  require_shape("gather_rows", "y", y, n, columns);
  expects(all_below(exec, source, x.extent_int(0)));
  const auto packs = packing(x, y);
  for_each_row(
      "vlmark::gather_rows", exec, n, KOKKOS_LAMBDA(const Team& team, int i) {
        const T* from = row_of(x, source(i));
        T* to = row_of(y, i);
        for_each(team, columns, packs, [=](auto at) { at.assign(to, at.copy(from)); });
      });
}

template <class T>
void scatter_impl(const Exec& exec, Mat<const T> rows, Vec<const int> destination, Mat<T> x) {
  const int n = destination.extent_int(0), columns = x.extent_int(1);
  require_shape("scatter_rows", "rows", rows, n, columns);
  expects(all_below(exec, destination, x.extent_int(0)));
  const auto packs = packing(rows, x);
  for_each_row(
      "vlmark::scatter_rows", exec, n, KOKKOS_LAMBDA(const Team& team, int i) {
        const T* from = row_of(rows, i);
        T* to = row_of(x, destination(i));
        for_each(team, columns, packs, [=](auto at) { at.assign(to, at.copy(from)); });
      });
}

template <class T>
void zero_impl(const Exec& exec, Mat<T> x, Vec<const int> destination) {
  const int columns = x.extent_int(1);
  expects(all_below(exec, destination, x.extent_int(0)));
  const auto packs = packing(x);
  for_each_row(
      "vlmark::zero_rows", exec, destination.extent_int(0), KOKKOS_LAMBDA(const Team& team, int i) {
        T* to = row_of(x, destination(i));
        for_each(team, columns, packs,
                 [=](auto at) { at.assign(to, at.map([](int) { return T{}; })); });
      });
}

template <class B, class T>
void add_bias_impl(const Exec& exec, Vec<const B> b, Mat<T> y) {
  const int columns = y.extent_int(1);
  require_shape("add_bias", "b", b, columns);
  const auto packs = packing(b, y);
  for_each_row(
      "vlmark::add_bias", exec, y.extent_int(0), KOKKOS_LAMBDA(const Team& team, int t) {
        const B* bias = b.data();
        T* row = row_of(y, t);
        for_each(team, columns, packs, [=](auto at) {
          const auto x = at.load(row), added = at.load(bias);
          at.store(row, [&](int j) { return x[j] + added[j]; });
        });
      });
}

template <class T>
void broadcast_impl(const Exec& exec, Vec<const T> b, Mat<T> y) {
  const int columns = y.extent_int(1);
  require_shape("broadcast_row", "b", b, columns);
  const auto packs = packing(b, y);
  for_each_row(
      "vlmark::broadcast_row", exec, y.extent_int(0), KOKKOS_LAMBDA(const Team& team, int t) {
        const T* from = b.data();
        T* to = row_of(y, t);
        for_each(team, columns, packs, [=](auto at) { at.assign(to, at.copy(from)); });
      });
}

template <class T>
void bias_gradient_impl(const Exec& exec, Mat<const T> dy, Vec<float> db, Mat<float> workspace) {
  if (db.extent(0) == 0) return;
  const int rows = dy.extent_int(0), columns = dy.extent_int(1);
  require_shape("bias_gradient", "db", db, columns);
  require_workspace("bias_gradient", workspace, column_sum_workspace_rows(rows), columns);
  column_sums("vlmark::bias_gradient", exec, rows, workspace, db, ValuesOfRow<T>{dy}, packing(dy));
}

}  // namespace

void gather_rows(const Exec& exec, Mat<const float> x, Vec<const int> source, Mat<float> y) {
  gather_impl<float>(exec, x, source, y);
}
void gather_rows(const Exec& exec, Mat<const bf16> x, Vec<const int> source, Mat<bf16> y) {
  gather_impl<bf16>(exec, x, source, y);
}

void scatter_rows(const Exec& exec, Mat<const float> rows, Vec<const int> destination,
                  Mat<float> x) {
  scatter_impl<float>(exec, rows, destination, x);
}
void scatter_rows(const Exec& exec, Mat<const bf16> rows, Vec<const int> destination, Mat<bf16> x) {
  scatter_impl<bf16>(exec, rows, destination, x);
}

void zero_rows(const Exec& exec, Mat<float> x, Vec<const int> destination) {
  zero_impl<float>(exec, x, destination);
}
void zero_rows(const Exec& exec, Mat<bf16> x, Vec<const int> destination) {
  zero_impl<bf16>(exec, x, destination);
}

void add_bias(const Exec& exec, Vec<const float> b, Mat<float> y) {
  add_bias_impl<float>(exec, b, y);
}
void add_bias(const Exec& exec, Vec<const bf16> b, Mat<bf16> y) { add_bias_impl<bf16>(exec, b, y); }
void add_bias(const Exec& exec, Vec<const bf16> b, Mat<float> y) {
  add_bias_impl<bf16>(exec, b, y);
}

void broadcast_row(const Exec& exec, Vec<const float> b, Mat<float> y) {
  broadcast_impl<float>(exec, b, y);
}
void broadcast_row(const Exec& exec, Vec<const bf16> b, Mat<bf16> y) {
  broadcast_impl<bf16>(exec, b, y);
}

void bias_gradient(const Exec& exec, Mat<const float> dy, Vec<float> db, Mat<float> workspace) {
  bias_gradient_impl<float>(exec, dy, db, workspace);
}
void bias_gradient(const Exec& exec, Mat<const bf16> dy, Vec<float> db, Mat<float> workspace) {
  bias_gradient_impl<bf16>(exec, dy, db, workspace);
}

}  // namespace vlmark::kernels
