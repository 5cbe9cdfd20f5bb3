#pragma once

// Lets Kokkos 4.5 build with CUDA 13 unpatched: three runtime functions lost their CUDA 12
// parameter lists, and these overloads give them back. Included by force wherever nvcc compiles
// Kokkos or code that includes it; calls with the new lists reach the runtime as before. Kokkos
// versions that know CUDA 13 make it unnecessary.

#if defined(__CUDACC__)
#include <cuda_runtime_api.h>

#if CUDART_VERSION >= 13000
namespace vlmark::kokkos_cuda13 {

/// CUDA 12 meant the CPU by a negative ordinal (cudaCpuDeviceId); CUDA 13 has a type for it.
inline cudaMemLocation location_of(int device) {
  cudaMemLocation location{};
  location.type = device < 0 ? cudaMemLocationTypeHost : cudaMemLocationTypeDevice;
  location.id = device < 0 ? 0 : device;
  return location;
}

}  // namespace vlmark::kokkos_cuda13

inline cudaError_t cudaGraphAddDependencies(cudaGraph_t graph, const cudaGraphNode_t* from,
                                            const cudaGraphNode_t* to, size_t count) {
  return cudaGraphAddDependencies(graph, from, to, nullptr, count);
}

inline cudaError_t cudaMemAdvise(const void* pointer, size_t bytes, cudaMemoryAdvise advice,
                                 int device) {
  return cudaMemAdvise(pointer, bytes, advice, vlmark::kokkos_cuda13::location_of(device));
}

inline cudaError_t cudaMemPrefetchAsync(const void* pointer, size_t bytes, int device,
                                        cudaStream_t stream = nullptr) {
  return cudaMemPrefetchAsync(pointer, bytes, vlmark::kokkos_cuda13::location_of(device), 0,
                              stream);
}

#endif  // CUDART_VERSION >= 13000
#endif  // __CUDACC__
