#pragma once

#include "bench/call.hpp"

namespace vlmark::bench {

/// What this machine reached in this process: the ceilings that kernels are held against (Williams,
/// Waterman & Patterson, CACM 52(4), 2009).
struct Roofline {
  double gemm_f32 = 0, gemm_bf16 = 0;  ///< FLOP/s of a large square product
  double copy = 0;                     ///< byte/s read and written by a copy far larger than caches

  double gemm(DType type) const { return type == DType::bf16 ? gemm_bf16 : gemm_f32; }
  /// Least time of a call in s: max(FLOPs / products, bytes / copy).
  double seconds(const Call& call) const;
  /// Whether the products are what bounds it, not memory.
  bool bound_by_products(const Call& call) const;
};

/// FLOP/s of a product of size^3 with sums in fp32: the fastest of `runs` of x W^T and of x W, after
/// one that warms up.
double gemm_rate(DType type, int size, int runs);

/// Measures it: gemm_rate() of both types; copies of `bytes`.
Roofline measure_roofline(int size, double bytes);

}  // namespace vlmark::bench
