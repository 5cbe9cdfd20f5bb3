#include "kernels/cuda_check.hpp"

#include <cuda_runtime_api.h>

#include "src/base/error.hpp"

namespace vlmark::kernels {

void require_cuda(int code, const std::string& what) {
  if (code == cudaSuccess) return;
  const auto error = static_cast<cudaError_t>(code);
  throw DeviceError(what + " failed with " + cudaGetErrorName(error) + " (" + std::to_string(code) +
                    ", wanted 0): " + cudaGetErrorString(error) +
                    " (nothing later on this device can be trusted). Look at the driver with "
                    "nvidia-smi; CUDA_LAUNCH_BLOCKING=1 names the kernel that failed");
}

}  // namespace vlmark::kernels
