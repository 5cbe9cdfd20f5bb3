#pragma once

#include "kernels/gemm_choice.hpp"
#include "kernels/operand.hpp"

// oneDNN behind plain pointers. A build without oneDNN compiles gemm_onednn_absent.cpp instead.

namespace vlmark::kernels {

bool onednn_built_in();

/// fp32 product. Throws DeviceError where oneDNN refuses.
void onednn_sgemm(Trans ta, Trans tb, int m, int n, int k, Operand<const float*> a,
                  Operand<const float*> b, float beta, Operand<float*> c);

/// Product of bf16 A and B into bf16 or fp32 C by oneDNN's matmul primitive, built at the first
/// call of a shape and kept. Throws DeviceError, also on a CPU without bf16 instructions.
void onednn_bf16(const GemmShape& shape, Operand<const void*> a, Operand<const void*> b, float beta,
                 Operand<void*> c);

}  // namespace vlmark::kernels
