#include "src/engine/device.hpp"

#include <Kokkos_Core.hpp>
#include <cstdio>

#include "src/base/error.hpp"
#include "src/base/memory.hpp"

namespace vlmark::engine {

struct Device::Session {
  // Without Kokkos' advice on binding: the run records where its ranks stood.
  Kokkos::ScopeGuard kokkos{Kokkos::InitializationSettings().set_disable_warnings(true)};
};

Device::Device() try : session_(std::make_unique<Session>()) {
} catch (const std::runtime_error& e) {
  throw DeviceError(std::string("device: ") + Kokkos::DefaultExecutionSpace::name() +
                    " cannot be started: " + e.what() +
                    " (nothing can be computed). Run on a node with a device that this build is "
                    "for; nvidia-smi lists NVIDIA's");
}

Device::~Device() = default;

std::int64_t available_bytes() {
#ifdef KOKKOS_ENABLE_CUDA
  std::size_t free = 0, all = 0;
  return cudaMemGetInfo(&free, &all) == cudaSuccess ? static_cast<std::int64_t>(free) : 0;
#else
  return vlmark::available_bytes();
#endif
}

std::string Device::pci() const {
#ifdef KOKKOS_ENABLE_CUDA
  const cudaDeviceProp& gpu = Kokkos::Cuda().cuda_device_prop();
  char text[64];
  std::snprintf(text, sizeof text, "%04x:%02x:%02x.0", static_cast<unsigned>(gpu.pciDomainID),
                static_cast<unsigned>(gpu.pciBusID), static_cast<unsigned>(gpu.pciDeviceID));
  return text;
#else
  return "";
#endif
}

}  // namespace vlmark::engine
