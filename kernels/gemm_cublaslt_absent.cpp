#include "kernels/gemm_cublaslt.hpp"
#include "kernels/gemm_kernels.hpp"

namespace vlmark::kernels {

int cublaslt_version() { return 0; }
int cublaslt_device() { return 0; }
std::size_t gemm_cublaslt_scratch_bytes() { return 0; }

std::string gemm_cublaslt(const Exec&, const GemmShape& shape, Operand<const void*>,
                          Operand<const void*>, float, Operand<void*>, const void*) {
  throw DeviceError("gemm: cuBLASLt was chosen for " + gemm_key(shape) +
                    " but this build has none (the product cannot run). Configure with preset "
                    "cuda or choose the Kokkos back end");
}

}  // namespace vlmark::kernels
