#pragma once

#include <limits>
#include <span>
#include <vector>

#include "kernels/types.hpp"

namespace vlmark::test {

/// A matrix whose rows are `gap` elements longer than its columns; the gap holds NaN, so that a
/// kernel that reads it shows, and `gap_untouched` tells whether one wrote there.
template <class T>
struct StridedMatrix {
  kernels::Mat<T> whole, view;
  int gap;

  StridedMatrix(std::span<const float> values, int rows, int cols, int gap_in)
      : whole("test::matrix", static_cast<std::size_t>(rows),
              static_cast<std::size_t>(cols + gap_in)),
        view(kernels::columns(whole, 0, cols)),
        gap(gap_in) {
    const auto host = Kokkos::create_mirror_view(whole);
    for (int r = 0; r < rows; ++r)
      for (int c = 0; c < cols + gap; ++c)
        host(r, c) = narrow<T>(c < cols ? values[static_cast<std::size_t>(r * cols + c)]
                                        : std::numeric_limits<float>::quiet_NaN());
    Kokkos::deep_copy(whole, host);
  }

  /// Every element NaN: an output that must not be read.
  static StridedMatrix unset(int rows, int cols, int gap) {
    const std::vector<float> nan(static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols),
                                 std::numeric_limits<float>::quiet_NaN());
    return {nan, rows, cols, gap};
  }

  std::vector<float> values() const { return rows_of(0, view.extent_int(1)); }

  bool gap_untouched() const {
    for (const float x : rows_of(view.extent_int(1), whole.extent_int(1)))
      if (x == x) return false;
    return true;
  }

 private:
  std::vector<float> rows_of(int begin, int end) const {
    const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, whole);
    std::vector<float> out;
    for (int r = 0; r < whole.extent_int(0); ++r)
      for (int c = begin; c < end; ++c) out.push_back(widen(host(r, c)));
    return out;
  }
};

inline kernels::Vec<const int> to_device(const std::vector<int>& values) {
  const kernels::Vec<int> v("test::integers", values.size());
  const auto host = Kokkos::create_mirror_view(v);
  for (std::size_t i = 0; i < values.size(); ++i) host(i) = values[i];
  Kokkos::deep_copy(v, host);
  return v;
}

/// The values as storage type T holds them.
template <class T>
std::vector<double> rounded(std::span<const float> values) {
  std::vector<double> out;
  for (const float x : values) out.push_back(widen(narrow<T>(x)));
  return out;
}

}  // namespace vlmark::test
