#pragma once

#include <string>

namespace vlmark::kernels {

/// Throws DeviceError with name, number and text of `code` (cudaError_t) unless it is success.
void require_cuda(int code, const std::string& what);

}  // namespace vlmark::kernels
