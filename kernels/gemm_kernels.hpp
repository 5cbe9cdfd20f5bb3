#pragma once

#include <string>

#include "kernels/gemm_choice.hpp"
#include "kernels/operand.hpp"
#include "kernels/types.hpp"

// The kernels behind `gemm`; arguments have been checked, m, n and k are positive. Instantiated for
// the type triples of gemm.hpp.

namespace vlmark::kernels {

template <class A, class B, class C>
struct GemmArguments {
  GemmShape shape;
  Mat<const A> a;
  Mat<const B> b;
  float beta;
  Mat<C> c;
};

/// Own blocked kernel: each tile of C is one team's, which packs the tiles of A and B it needs.
template <class A, class B, class C>
void gemm_tiled(const Exec& exec, const GemmArguments<A, B, C>& arguments);
/// Largest scratch of one thread in gemm_tiled, byte.
std::size_t gemm_tiled_scratch_bytes();

/// Own kernel for x W^T with m <= gemm_skinny_rows.
template <class A, class B, class C>
void gemm_skinny(const Exec& exec, const GemmArguments<A, B, C>& arguments);

/// dnnl_sgemm on operands converted panel by panel; needs oneDNN.
template <class A, class B, class C>
void gemm_panels(const Exec& exec, const GemmArguments<A, B, C>& arguments);
/// Scratch of gemm_panels, byte.
std::size_t gemm_panels_scratch_bytes();

/// cuBLASLt on the stream of `exec`; needs a build for CUDA. `bias` [n] of the type of C, or null.
/// Returns what ran, for the record.
std::string gemm_cublaslt(const Exec& exec, const GemmShape& shape, Operand<const void*> a,
                          Operand<const void*> b, float beta, Operand<void*> c, const void* bias);
/// Device memory of gemm_cublaslt, byte; 0 without CUDA.
std::size_t gemm_cublaslt_scratch_bytes();

}  // namespace vlmark::kernels
