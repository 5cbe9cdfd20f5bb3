#pragma once

#include <cstddef>
#include <string>

#include "kernels/gemm_shape.hpp"
#include "kernels/operand.hpp"

// cuBLASLt behind plain pointers. A build without CUDA compiles gemm_cublaslt_absent.cpp instead.

namespace vlmark::kernels {

/// Version of the library built in, 130100: 13.1.0; 0 without CUDA.
int cublaslt_version();

/// The device in use, as far as it decides which algorithm is chosen: 1000 x compute capability +
/// multiprocessors (90132: an H100 SXM); 0 where there is none. Starts no device.
int cublaslt_device();

/// Scratch that the library may use, planned once: more opens no further kernels on Hopper.
inline constexpr std::size_t kCublasltWorkspaceBytes = std::size_t{32} << 20;

/// Addresses are the device's.
struct CublasltProduct {
  GemmShape shape;
  Operand<const void*> a, b;
  float beta = 0;  ///< 0 or 1
  Operand<void*> c;
  const void* bias = nullptr;  ///< [n] of the type of C, added to every row; null: none
  void* workspace = nullptr;   ///< 256-byte aligned; for one stream at a time
  std::size_t workspace_bytes = 0;
};

/// C = op(A) op(B) + beta C + bias on `stream` (cudaStream_t), row-major as in kernels::gemm.
/// Returns what ran, "cublaslt 66.20.36.1" (algorithm, tile, stages, splits of k), for the record.
///
/// Sums in fp32; fp32 operands are not rounded to TF32; a bf16 C is rounded once: split sums are
/// joined in fp32 in workspace, never by atomics, so a shape gives the same bits in every run.
/// The algorithm is the library's first for the shape, strides and alignment, asked for once and
/// kept; it is a pure function of those, of the library and of the device.
/// Throws DeviceError with the library's own text, also where it knows no algorithm.
std::string cublaslt_gemm(void* stream, const CublasltProduct& product);

}  // namespace vlmark::kernels
