#pragma once

namespace vlmark {

/// Whether kernels keep tensors in memory that host code cannot read. Set by the build, so that a
/// planner without Kokkos counts the copies that such a build needs.
#ifdef VLMARK_DEVICE_MEMORY
inline constexpr bool kDeviceMemory = true;
#else
inline constexpr bool kDeviceMemory = false;
#endif

/// Whether that memory travels between ranks without a copy on the host: the build has NCCL.
#ifdef VLMARK_DEVICE_TRANSPORT
inline constexpr bool kDeviceTransport = true;
#else
inline constexpr bool kDeviceTransport = false;
#endif

}  // namespace vlmark
