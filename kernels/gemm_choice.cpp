#include "kernels/gemm_choice.hpp"

#include <algorithm>

#include "kernels/gemm_cublaslt.hpp"
#include "kernels/gemm_kernels.hpp"
#include "kernels/gemm_onednn.hpp"
#include "src/base/error.hpp"
#include "src/base/isa.hpp"

namespace vlmark::kernels {
namespace {

GemmSettings& settings_in_force() {
  static GemmSettings settings = detected_gemm_settings();
  return settings;
}

GemmKernel own_kernel(const GemmShape& shape) {
  const bool skinny =
      shape.ta == Trans::no && shape.tb == Trans::yes && shape.m <= gemm_skinny_rows;
  return skinny ? GemmKernel::kokkos_skinny : GemmKernel::kokkos_tiled;
}

}  // namespace

const char* name_of(GemmKernel kernel) {
  switch (kernel) {
    case GemmKernel::kokkos_tiled:
      return "kokkos_tiled";
    case GemmKernel::kokkos_skinny:
      return "kokkos_skinny";
    case GemmKernel::onednn_sgemm:
      return "onednn_sgemm";
    case GemmKernel::onednn_panels:
      return "onednn_panels";
    case GemmKernel::onednn_bf16:
      return "onednn_bf16";
    case GemmKernel::cublaslt:
      return "cublaslt";
  }
  return "?";
}

GemmSettings detected_gemm_settings() {
  return {GemmBackend::automatic, onednn_built_in(),
          fast_bf16_instructions(instruction_set(), cpu_generation()), cublaslt_version(),
          cublaslt_device()};
}

const GemmSettings& gemm_settings() { return settings_in_force(); }

void set_gemm_settings(const GemmSettings& settings) {
  const bool wants_onednn = settings.onednn || settings.backend == GemmBackend::onednn;
  if (wants_onednn && !onednn_built_in())
    throw DeviceError(
        "set_gemm_settings: oneDNN is asked for but this build has none (all ranks must choose the "
        "same kernels). Configure with VLMARK_ONEDNN=ON or use the Kokkos back end");
  if (settings.bf16_instructions && !has_bf16_instructions())
    throw DeviceError("set_gemm_settings: bf16 instructions are asked for but this CPU has " +
                      instruction_set() +
                      " (all ranks must choose the same kernels). Set bf16_instructions = false");
  const bool wants_cublaslt = settings.cublaslt != 0 || settings.backend == GemmBackend::cublaslt;
  if (wants_cublaslt &&
      (settings.cublaslt != cublaslt_version() || settings.cublaslt_device != cublaslt_device()))
    throw DeviceError(
        "set_gemm_settings: cuBLASLt " + std::to_string(settings.cublaslt) + " on device " +
        std::to_string(settings.cublaslt_device) + " is asked for, this process has " +
        std::to_string(cublaslt_version()) + " on " + std::to_string(cublaslt_device()) +
        " (all ranks must choose the same algorithms). Give every rank the same library and model "
        "of device, or use the Kokkos back end");
  settings_in_force() = settings;
}

void set_gemm_backend(GemmBackend backend) {
  GemmSettings settings = gemm_settings();
  settings.backend = backend;
  set_gemm_settings(settings);
}

GemmKernel choose_gemm(const GemmShape& shape, const GemmSettings& settings) {
  if (settings.backend == GemmBackend::kokkos) return own_kernel(shape);
  if (settings.cublaslt != 0 && settings.backend != GemmBackend::onednn && cublaslt_serves(shape))
    return GemmKernel::cublaslt;
  if (settings.backend == GemmBackend::cublaslt || !settings.onednn) return own_kernel(shape);
  const bool all_f32 = shape.a == DType::f32 && shape.b == DType::f32 && shape.c == DType::f32;
  if (all_f32) return GemmKernel::onednn_sgemm;
  if (shape.a == DType::bf16 && shape.b == DType::bf16 && settings.bf16_instructions)
    return GemmKernel::onednn_bf16;
  if (settings.backend == GemmBackend::onednn) return GemmKernel::onednn_panels;
  // oneDNN needs fp32 copies of the operands. Measured with AVX2, they cost more than its faster
  // inner loop gains until both sides of C are long; the own kernel converts while it packs.
  constexpr int long_side = 512;
  return std::min(shape.m, shape.n) < long_side ? own_kernel(shape) : GemmKernel::onednn_panels;
}

bool cublaslt_serves(const GemmShape& shape) {
  if (shape.a != shape.b) return false;
  if (shape.a == DType::f32) return shape.c == DType::f32;
  return shape.a == DType::bf16 && (shape.c == DType::bf16 || shape.c == DType::f32);
}

std::size_t gemm_workspace_bytes(int threads) {
  return gemm_panels_scratch_bytes() + gemm_cublaslt_scratch_bytes() +
         static_cast<std::size_t>(threads) * gemm_tiled_scratch_bytes();
}

}  // namespace vlmark::kernels
