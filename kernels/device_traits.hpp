#pragma once

#include <Kokkos_Macros.hpp>
#include <cstddef>

// What kernels must know of the back end they are compiled for. No other file asks.

namespace vlmark::kernels {

#if defined(KOKKOS_ENABLE_CUDA) || defined(KOKKOS_ENABLE_HIP) || defined(KOKKOS_ENABLE_SYCL)
inline constexpr bool kOnDevice = true;
#else
inline constexpr bool kOnDevice = false;
#endif

/// The constant for a host or the one for a device.
template <class T>
constexpr T per_back_end(T host, T device) {
  return kOnDevice ? device : host;
}

/// Bytes that one member of a team loads or stores at once; 0: the compiler decides.
inline constexpr int kPackBytes = per_back_end(0, 16);

/// Members of a team that works on a row, and of one that works on a tile; 0: Kokkos chooses.
inline constexpr int kRowTeam = per_back_end(0, 128);
inline constexpr int kTileTeam = per_back_end(0, 64);

/// Shared memory that Kokkos grants a team on any CUDA device (48 KiB, less what its reductions may
/// need), byte. Scratch beyond it lies in device memory.
inline constexpr std::size_t kTeamScratch = 40000;
/// Whether a tile kernel's scratch lies where it should: no bound on a host.
constexpr bool fits_in_team_scratch(int floats) {
  return !kOnDevice || sizeof(float) * static_cast<std::size_t>(floats) + 64 <= kTeamScratch;
}

/// The smaller one. By value, unlike Kokkos::min: a constant has no address on a device.
KOKKOS_INLINE_FUNCTION constexpr int smaller(int a, int b) { return a < b ? a : b; }

}  // namespace vlmark::kernels
