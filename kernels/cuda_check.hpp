#pragma once

#include <cuda_runtime_api.h>

#include <string>

#include "src/base/error.hpp"

namespace vlmark::kernels {

/// Throws DeviceError with name, number and text of `code` unless it is success.
inline void require_cuda(cudaError_t code, const std::string& what) {
  if (code == cudaSuccess) return;
  throw DeviceError(what + " failed with " + cudaGetErrorName(code) + " (" +
                    std::to_string(static_cast<int>(code)) +
                    ", wanted 0): " + cudaGetErrorString(code) +
                    " (nothing later on this device can be trusted). Look at the driver with "
                    "nvidia-smi; CUDA_LAUNCH_BLOCKING=1 names the kernel that failed");
}

}  // namespace vlmark::kernels
