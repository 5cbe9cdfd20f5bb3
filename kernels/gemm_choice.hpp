#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>

#include "src/base/dtype.hpp"

namespace vlmark::kernels {

/// Whether an operand enters a product as stored or transposed.
enum class Trans : std::uint8_t { no, yes };

/// One product C[m, n] = op(A)[m, k] op(B)[k, n]: everything the choice of a kernel may depend on.
struct GemmShape {
  DType a = DType::f32, b = DType::f32, c = DType::f32;
  Trans ta = Trans::no, tb = Trans::no;
  int m = 0, n = 0, k = 0;
  auto operator<=>(const GemmShape&) const = default;
};

/// The kernels that a product may run on. The reference loops are not among them.
enum class GemmKernel : std::uint8_t {
  kokkos_tiled,   ///< own: packed tiles, register blocks, any types, sums in fp32
  kokkos_skinny,  ///< own: x W^T for at most gemm_skinny_rows rows of x, W read once
  onednn_sgemm,   ///< dnnl_sgemm on fp32 operands
  onednn_panels,  ///< dnnl_sgemm on panels converted to fp32 on the fly
  onednn_bf16,    ///< oneDNN's bf16 matmul; only on CPUs with bf16 instructions
};
const char* name_of(GemmKernel kernel);

inline constexpr int gemm_skinny_rows = 4;

/// Which family is preferred; `automatic` is the rule of the run, the others serve tests and
/// comparisons.
enum class GemmBackend : std::uint8_t { automatic, kokkos, onednn };

/// What the choice depends on besides the shape. Plain bytes: rank 0 broadcasts its own, so that
/// all ranks of a run choose alike on unequal nodes.
struct GemmSettings {
  GemmBackend backend = GemmBackend::automatic;
  bool onednn = false;             ///< oneDNN is built in
  bool bf16_instructions = false;  ///< the CPU multiplies bf16 matrices by instructions of its own
};

/// The settings that fit this build and this CPU.
GemmSettings detected_gemm_settings();

/// The settings in force; the detected ones until set_gemm_settings.
const GemmSettings& gemm_settings();

/// Makes `settings` those of this process. Throws DeviceError where they name oneDNN or bf16
/// instructions that this process has not got.
void set_gemm_settings(const GemmSettings& settings);

/// Keeps the other settings. Throws DeviceError.
void set_gemm_backend(GemmBackend backend);

/// The kernel for `shape`: a pure function of its arguments.
GemmKernel choose_gemm(const GemmShape& shape, const GemmSettings& settings);

/// Key of the record: "gemm nt f32 512x1536x8960" (transposes of A and B, types, m x n x k); mixed
/// types are written out as "bf16.bf16.f32" (A, B, C).
std::string gemm_key(const GemmShape& shape);

/// Upper bound in byte of what all products of a process together hold as scratch, allocated at
/// first use and kept: converted panels, and packed tiles for each of `threads` threads.
std::size_t gemm_workspace_bytes(int threads);

}  // namespace vlmark::kernels
