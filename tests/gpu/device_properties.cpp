// Prints what the runtime says of GPU 0, with the keys of cuDNN's device descriptions, so that a
// hand-written one can be compared line by line. Exit code 1 where there is no GPU.

#include <cuda_runtime_api.h>

#include <cstdio>
#include <iterator>

namespace {

int driver_version() {
  int version = 0;
  cudaDriverGetVersion(&version);
  return version;
}

int attribute(cudaDeviceAttr key) {
  int value = 0;
  cudaDeviceGetAttribute(&value, key, 0);
  return value;
}

}  // namespace

int main() {
  cudaDeviceProp p{};
  const cudaError_t code = cudaGetDeviceProperties(&p, 0);
  if (code != cudaSuccess) {
    std::fprintf(stderr,
                 "device_properties: GPU 0 cannot be read: %s (there is nothing to describe). Run "
                 "it on a node with a GPU\n",
                 cudaGetErrorString(code));
    return 1;
  }
  const struct {
    const char* key;
    long long value;
  } entries[] = {
      {"deviceVer", 100LL * p.major + 10LL * p.minor},
      {"driverVer", driver_version()},
      {"cudaDeviceId", 0},
      {"pciDeviceId", p.pciDeviceID},
      {"isTccDriver", p.tccDriver},
      {"supportCoopLaunch", p.cooperativeLaunch},
      {"multiProcessorCount", p.multiProcessorCount},
      {"warpSize", p.warpSize},
      {"maxThreadsPerBlock", p.maxThreadsPerBlock},
      {"maxThreadsPerSM", p.maxThreadsPerMultiProcessor},
      {"maxCtasPerSM", p.maxBlocksPerMultiProcessor},
      {"regsPerBlock", p.regsPerBlock},
      {"maxRegistersPerSM", p.regsPerMultiprocessor},
      {"maxSharedMemoryPerBlock", static_cast<long long>(p.sharedMemPerBlock)},
      {"maxSharedMemoryPerBlockOptin", static_cast<long long>(p.sharedMemPerBlockOptin)},
      {"reservedSharedMemoryPerBlock", static_cast<long long>(p.reservedSharedMemPerBlock)},
      {"l2CacheSize", p.l2CacheSize},
      {"totalGlobalMem", static_cast<long long>(p.totalGlobalMem)},
      {"smClockRateKHz", attribute(cudaDevAttrClockRate)},
      {"memClockRateKHz", attribute(cudaDevAttrMemoryClockRate)},
  };
  std::printf("{\n  \"deviceName\": \"%s\",\n", p.name);
  std::printf("  \"maxBlockSize\": [%d, %d, %d],\n", p.maxThreadsDim[0], p.maxThreadsDim[1],
              p.maxThreadsDim[2]);
  std::printf("  \"maxGridSize\": [%d, %d, %d],\n", p.maxGridSize[0], p.maxGridSize[1],
              p.maxGridSize[2]);
  for (std::size_t i = 0; i < std::size(entries); ++i)
    std::printf("  \"%s\": %lld%s\n", entries[i].key, entries[i].value,
                i + 1 < std::size(entries) ? "," : "");
  std::printf("}\n");
}
