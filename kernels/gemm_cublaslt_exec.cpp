#include "kernels/gemm_cublaslt.hpp"
#include "kernels/gemm_kernels.hpp"

// Compiled only where Exec is Kokkos::Cuda.

namespace vlmark::kernels {
namespace {

Vec<unsigned char>& workspace() {
  // Freed by Kokkos::finalize's hook: a static View would outlive Kokkos.
  static auto* instance = [] {
    auto* made = new Vec<unsigned char>(
        Kokkos::view_alloc(Kokkos::WithoutInitializing, "vlmark::gemm_cublaslt_workspace"),
        kCublasltWorkspaceBytes);
    Kokkos::push_finalize_hook([made] { delete made; });
    return made;
  }();
  return *instance;
}

}  // namespace

std::size_t gemm_cublaslt_scratch_bytes() { return kCublasltWorkspaceBytes; }

std::string gemm_cublaslt(const Exec& exec, const GemmShape& shape, Operand<const void*> a,
                          Operand<const void*> b, float beta, Operand<void*> c, const void* bias) {
  return cublaslt_gemm(exec.cuda_stream(),
                       {shape, a, b, beta, c, bias, workspace().data(), kCublasltWorkspaceBytes});
}

}  // namespace vlmark::kernels
