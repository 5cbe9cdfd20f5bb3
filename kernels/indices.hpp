#pragma once

#include "kernels/types.hpp"

namespace vlmark::kernels {

/// True if every element of `indices` lies in [0, bound). Waits for `exec`: for `expects` only.
inline bool all_below(const Exec& exec, Vec<const int> indices, int bound) {
  int outside = 0;
  Kokkos::parallel_reduce(
      "vlmark::check_indices", Kokkos::RangePolicy<Exec>(exec, 0, indices.extent_int(0)),
      KOKKOS_LAMBDA(int i, int& sum) { sum += indices(i) < 0 || indices(i) >= bound ? 1 : 0; },
      outside);
  return outside == 0;
}

}  // namespace vlmark::kernels
