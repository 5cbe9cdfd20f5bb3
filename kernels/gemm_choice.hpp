#pragma once

#include <cstddef>

#include "kernels/gemm_shape.hpp"

namespace vlmark::kernels {

/// The kernels that a product may run on. The reference loops are not among them.
enum class GemmKernel : std::uint8_t {
  kokkos_tiled,   ///< own: packed tiles, register blocks, any types, sums in fp32
  kokkos_skinny,  ///< own: x W^T for at most gemm_skinny_rows rows of x, W read once
  onednn_sgemm,   ///< dnnl_sgemm on fp32 operands
  onednn_panels,  ///< dnnl_sgemm on panels converted to fp32 on the fly
  onednn_bf16,    ///< oneDNN's bf16 matmul; only on CPUs with bf16 instructions
  cublaslt,       ///< cuBLASLt; its own choice of algorithm stands in the record
};
const char* name_of(GemmKernel kernel);

inline constexpr int gemm_skinny_rows = 4;

/// Which family is preferred; `automatic` is the rule of the run, the others serve tests and
/// comparisons.
enum class GemmBackend : std::uint8_t { automatic, kokkos, onednn, cublaslt };

/// What the choice depends on besides the shape. Plain bytes: rank 0 broadcasts its own, so that
/// all ranks of a run choose alike on unequal nodes.
struct GemmSettings {
  GemmBackend backend = GemmBackend::automatic;
  bool onednn = false;             ///< oneDNN is built in
  bool bf16_instructions = false;  ///< bf16 matrices are multiplied by instructions of their own
  int cublaslt = 0;                ///< version of cuBLASLt; 0: not built in
  int cublaslt_device = 0;         ///< cublaslt_device(): version and device decide every algorithm
};

/// The settings that fit this build and this CPU.
GemmSettings detected_gemm_settings();

/// The settings in force; the detected ones until set_gemm_settings.
const GemmSettings& gemm_settings();

/// Makes `settings` those of this process. Throws DeviceError where they name oneDNN, bf16
/// instructions, a version of cuBLASLt or a device that this process has not got.
void set_gemm_settings(const GemmSettings& settings);

/// Keeps the other settings. Throws DeviceError.
void set_gemm_backend(GemmBackend backend);

/// The kernel for `shape`: a pure function of its arguments.
GemmKernel choose_gemm(const GemmShape& shape, const GemmSettings& settings);

/// Whether cuBLASLt has a product of these types: fp32 alone, or bf16 operands with a bf16 or fp32
/// result.
bool cublaslt_serves(const GemmShape& shape);

/// Upper bound in byte of what all products of a process together hold as scratch, allocated at
/// first use and kept: converted panels, and packed tiles for each of `threads` threads.
std::size_t gemm_workspace_bytes(int threads);

}  // namespace vlmark::kernels
