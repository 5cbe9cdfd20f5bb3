#pragma once

#include <Kokkos_Core.hpp>

#include "src/base/bf16.hpp"
#include "src/base/error.hpp"

namespace vlmark::kernels {

using Exec = Kokkos::DefaultExecutionSpace;
using Memory = Exec::memory_space;

/// [n]
template <class T>
using Vec = Kokkos::View<T*, Kokkos::LayoutRight, Memory>;
/// [rows, columns], row-major; rows may be strided (a block of columns of a wider matrix).
template <class T>
using Mat = Kokkos::View<T**, Kokkos::LayoutRight, Memory>;

/// Columns [begin, end) of `m`, without a copy.
template <class T>
Mat<T> columns(const Mat<T>& m, int begin, int end) {
  return Kokkos::subview(m, Kokkos::ALL, Kokkos::pair<int, int>(begin, end));
}

}  // namespace vlmark::kernels
