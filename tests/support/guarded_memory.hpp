#pragma once

namespace vlmark::test {

/// Makes a host stand in for a device: from construction to destruction the engine's arena (and
/// what else it keeps for kernels) is closed to every access outside of Kokkos kernels and
/// deep copies, as the memory of a device would be. Host code that touches it ends the process with
/// "host code touched the memory of kernels".
///
/// Works by page protection and Kokkos' tool callbacks, so no code under test knows of it. Views
/// allocated before construction, and the first and last partial page of each, are not guarded.
/// Matrix products must be Kokkos kernels too (GemmBackend::kokkos). One at a time.
class GuardedMemory {
 public:
  GuardedMemory();
  ~GuardedMemory();
  GuardedMemory(const GuardedMemory&) = delete;
  GuardedMemory& operator=(const GuardedMemory&) = delete;

  /// Bytes that are closed, over all views alive.
  static long guarded_bytes();
};

}  // namespace vlmark::test
