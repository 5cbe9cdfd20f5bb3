#pragma once

// Private to the box: names a Kokkos type.

#include <Kokkos_Core.hpp>

namespace vlmark::app {

/// Threads from OMP_NUM_THREADS, and no advice on stderr about binding: the run records where its
/// ranks stood.
inline Kokkos::InitializationSettings kokkos_settings() {
  return Kokkos::InitializationSettings().set_disable_warnings(true);
}

}  // namespace vlmark::app
