#pragma once

#include "kernels/types.hpp"

namespace vlmark::bench {

/// A matrix of small numbers that repeat with a period prime to every tile.
template <class T>
kernels::Mat<T> filled(int rows, int columns) {
  const kernels::Mat<T> m("bench::matrix", rows, columns);
  const auto host = Kokkos::create_mirror_view(m);
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < columns; ++c)
      host(r, c) = narrow<T>(static_cast<float>((r * 31 + c * 17) % 23 - 11) / 16);
  Kokkos::deep_copy(m, host);
  return m;
}

}  // namespace vlmark::bench
