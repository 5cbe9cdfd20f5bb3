#pragma once

#include <span>
#include <vector>

#include "kernels/types.hpp"

namespace vlmark::test {

using kernels::Exec;
using kernels::Mat;
using kernels::Vec;

/// Half the distance from 1 to the next number of T: bound of one rounding's relative error.
template <class T>
inline constexpr double kRoundoff = 0x1p-24;
template <>
inline constexpr double kRoundoff<bf16> = 0x1p-8;

/// Roundings in a chain of kernels::row_sum over n elements (kernels/team.hpp): 64 additions into
/// a lane, one for each block of 1024 elements, 4 levels of the tree, 2 for the summand.
constexpr double row_sum_depth(long n) { return 64 + static_cast<double>(n) / 1024 + 1 + 4 + 2; }

/// Roundings in a chain of a column sum over `rows` rows (kernels/column_sums.hpp): 32 in a block,
/// the levels of the tree (below 32), and 3 for the summand and the final addition.
constexpr double column_sum_depth() { return 32 + 32 + 3; }

template <class T>
Vec<T> to_view(const std::vector<float>& values) {
  const Vec<T> view("test::vector", values.size());
  const auto host = Kokkos::create_mirror_view(view);
  for (std::size_t i = 0; i < values.size(); ++i) host(i) = narrow<T>(values[i]);
  Kokkos::deep_copy(view, host);
  return view;
}

template <class T>
Mat<T> to_view(const std::vector<float>& values, int rows, int columns) {
  const Mat<T> view("test::matrix", rows, columns);
  const auto host = Kokkos::create_mirror_view(view);
  for (int t = 0; t < rows; ++t)
    for (int h = 0; h < columns; ++h)
      host(t, h) = narrow<T>(values[static_cast<std::size_t>(t) * columns + h]);
  Kokkos::deep_copy(view, host);
  return view;
}

inline Vec<int> to_view(const std::vector<int>& values) {
  const Vec<int> view("test::indices", values.size());
  const auto host = Kokkos::create_mirror_view(view);
  for (std::size_t i = 0; i < values.size(); ++i) host(i) = values[i];
  Kokkos::deep_copy(view, host);
  return view;
}

/// A view, without gaps between its rows, as the host can index it; waits for the kernels first.
template <class View>
auto on_host(const View& view) {
  Exec{}.fence("test::on_host");
  return Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, view);
}

/// The elements as double, exactly; waits for the kernels first.
template <class T>
std::vector<double> to_host(const Vec<T>& view) {
  const auto host = on_host(view);
  std::vector<double> values(view.extent(0));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = widen(host(i));
  return values;
}

template <class T>
std::vector<double> to_host(const Mat<T>& view) {
  std::vector<double> values;
  if (view.size() == 0) return values;
  const std::size_t row = view.stride(0), rows = view.extent(0), columns = view.extent(1);
  // With the gaps: a copy between memories takes no strides.
  const auto host = on_host(Vec<T>(view.data(), (rows - 1) * row + columns));
  values.reserve(view.size());
  for (std::size_t t = 0; t < rows; ++t)
    for (std::size_t h = 0; h < columns; ++h) values.push_back(widen(host(t * row + h)));
  return values;
}

}  // namespace vlmark::test
