#pragma once

#include <benchmark/benchmark.h>

#include "bench/filled.hpp"

namespace vlmark::bench {

/// Registers the cases of one family; `smoke` asks for sizes that take milliseconds.
void register_gemm(bool smoke);
void register_attention(bool smoke);
void register_tokenizer(bool smoke);

/// A rate in units of 1e9 per second for `work` done in each iteration.
inline benchmark::Counter rate(double work) {
  return {work / 1e9, benchmark::Counter::kIsIterationInvariantRate};
}

}  // namespace vlmark::bench
