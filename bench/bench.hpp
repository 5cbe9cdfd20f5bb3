#pragma once

#include <benchmark/benchmark.h>

#include "kernels/types.hpp"

namespace vlmark::bench {

/// Registers the cases of one family; `smoke` asks for sizes that take milliseconds.
void register_gemm(bool smoke);
void register_attention(bool smoke);
void register_tokenizer(bool smoke);

/// A rate in units of 1e9 per second for `work` done in each iteration.
inline benchmark::Counter rate(double work) {
  return {work / 1e9, benchmark::Counter::kIsIterationInvariantRate};
}

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
