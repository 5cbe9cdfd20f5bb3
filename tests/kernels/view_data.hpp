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
  Vec<T> view("test::vector", values.size());
  for (std::size_t i = 0; i < values.size(); ++i) view(i) = narrow<T>(values[i]);
  return view;
}

template <class T>
Mat<T> to_view(const std::vector<float>& values, int rows, int columns) {
  Mat<T> view("test::matrix", rows, columns);
  for (int t = 0; t < rows; ++t)
    for (int h = 0; h < columns; ++h)
      view(t, h) = narrow<T>(values[static_cast<std::size_t>(t) * columns + h]);
  return view;
}

inline Vec<int> to_view(const std::vector<int>& values) {
  Vec<int> view("test::indices", values.size());
  for (std::size_t i = 0; i < values.size(); ++i) view(i) = values[i];
  return view;
}

/// The elements as double, exactly; waits for the kernels first.
template <class T>
std::vector<double> to_host(const Vec<T>& view) {
  Exec{}.fence("test::to_host");
  std::vector<double> values(view.extent(0));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = widen(view(i));
  return values;
}

template <class T>
std::vector<double> to_host(const Mat<T>& view) {
  Exec{}.fence("test::to_host");
  std::vector<double> values;
  values.reserve(view.size());
  for (int t = 0; t < view.extent_int(0); ++t)
    for (int h = 0; h < view.extent_int(1); ++h) values.push_back(widen(view(t, h)));
  return values;
}

}  // namespace vlmark::test
