#include "kernels/gemm_onednn.hpp"
#include "src/base/error.hpp"

namespace vlmark::kernels {
namespace {

[[noreturn]] void absent() {
  throw DeviceError(
      "gemm: a oneDNN kernel was chosen but this build has no oneDNN (the product cannot run). "
      "Configure with VLMARK_ONEDNN=ON or choose the Kokkos back end");
}

}  // namespace

bool onednn_built_in() { return false; }

void onednn_sgemm(Trans, Trans, int, int, int, Operand<const float*>, Operand<const float*>, float,
                  Operand<float*>) {
  absent();
}

void onednn_bf16(const GemmShape&, Operand<const void*>, Operand<const void*>, float,
                 Operand<void*>) {
  absent();
}

}  // namespace vlmark::kernels
