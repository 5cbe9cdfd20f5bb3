#include "src/engine/staging.hpp"

#include "src/base/error.hpp"

namespace vlmark::engine {
namespace {

using Unmanaged = Kokkos::MemoryTraits<Kokkos::Unmanaged>;
template <class Byte>
using InKernels = Kokkos::View<Byte*, Kokkos::LayoutRight, kernels::Memory, Unmanaged>;
template <class Byte>
using OnHost = Kokkos::View<Byte*, Kokkos::LayoutRight, Kokkos::HostSpace, Unmanaged>;

#if defined(KOKKOS_ENABLE_SERIAL)
/// Between two places of the host a copy runs on the calling thread: a communication lane has no
/// kernel threads.
using HostCopy = Kokkos::Serial;
#else
using HostCopy = kernels::Exec;
#endif

template <class To, class From>
void copy([[maybe_unused]] const kernels::Exec& exec, const To& to, const From& from) {
  if constexpr (host_reads_memory) {  // only tests come here
    Kokkos::deep_copy(HostCopy(), to, from);
  } else {
    Kokkos::deep_copy(exec, to, from);
    exec.fence("vlmark::copy");
  }
}

}  // namespace

void copy_to_kernels(const kernels::Exec& exec, const void* host, void* memory, std::size_t bytes) {
  copy(exec, InKernels<std::byte>(static_cast<std::byte*>(memory), bytes),
       OnHost<const std::byte>(static_cast<const std::byte*>(host), bytes));
}

void copy_to_host(const kernels::Exec& exec, const void* memory, void* host, std::size_t bytes) {
  copy(exec, OnHost<std::byte>(static_cast<std::byte*>(host), bytes),
       InKernels<const std::byte>(static_cast<const std::byte*>(memory), bytes));
}

Staging::Staging(bool staged) : staged_(staged) {
  if (!staged && !host_reads_memory)
    throw ValueError(
        "staging: is switched off, but kernels keep their tensors in device memory (the host "
        "cannot "
        "read it). Plan with staged = true");
  if (staged) buffer_.resize(plan::staging_piece_bytes / sizeof(double));
}

}  // namespace vlmark::engine
