#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "kernels/convert.hpp"
#include "kernels/types.hpp"
#include "src/base/device_memory.hpp"
#include "src/plan/state_layout.hpp"

namespace vlmark::engine {

inline constexpr bool host_reads_memory =
    Kokkos::SpaceAccessibility<Kokkos::HostSpace, kernels::Memory>::accessible;
static_assert(host_reads_memory == !kDeviceMemory,
              "VLMARK_DEVICE_MEMORY is not as Kokkos was built");

/// `bytes` from host memory to the memory of kernels, and back. Returns when the copy is done and
/// all earlier work of `exec` with it.
void copy_to_kernels(const kernels::Exec& exec, const void* host, void* memory, std::size_t bytes);
void copy_to_host(const kernels::Exec& exec, const void* memory, void* host, std::size_t bytes);

/// The only way in which the engine's host code reads or writes the memory of kernels. Where the
/// host reads that memory itself nothing is copied; else values travel in pieces through one host
/// buffer that is allocated here. For one thread.
class Staging {
 public:
  /// `staged`: copy even where the host could read the memory. A test's only way to prove without
  /// a device that no host code reads it. Throws ValueError for false where the host cannot.
  explicit Staging(bool staged);

  bool staged() const { return staged_; }

  /// to[i] = from[i], converted to T as kernels::convert does.
  template <class T>
  void store(const kernels::Exec& exec, std::span<const float> from, T* to) const {
    if (!staged_) {
      kernels::convert(exec, kernels::Vec<const float>(from.data(), from.size()),
                       kernels::Vec<T>(to, from.size()));
      exec.fence("vlmark::store");
      return;
    }
    const std::span<T> buffer = piece<T>();
    for (std::size_t first = 0; first < from.size(); first += buffer.size()) {
      const std::size_t n = std::min(buffer.size(), from.size() - first);
      for (std::size_t i = 0; i < n; ++i) buffer[i] = narrow<T>(from[first + i]);
      copy_to_kernels(exec, buffer.data(), to + first, n * sizeof(T));
    }
  }

  /// Calls take(values, index of the first) for all of from[0, count), in order. Waits for `exec`.
  template <class T, class Take>
  void visit(const kernels::Exec& exec, const T* from, std::size_t count, const Take& take) const {
    if (!staged_) {
      exec.fence("vlmark::visit");
      take(std::span<const T>(from, count), std::size_t{0});
      return;
    }
    const std::span<T> buffer = piece<T>();
    for (std::size_t first = 0; first < count; first += buffer.size()) {
      const std::size_t n = std::min(buffer.size(), count - first);
      copy_to_host(exec, from + first, buffer.data(), n * sizeof(T));
      take(std::span<const T>(buffer.data(), n), first);
    }
  }

  /// to[i] = from[i] in fp32.
  template <class T>
  void load(const kernels::Exec& exec, const T* from, std::span<float> to) const {
    if (!staged_) {
      kernels::convert(exec, kernels::Vec<const T>(from, to.size()),
                       kernels::Vec<float>(to.data(), to.size()));
      exec.fence("vlmark::load");
      return;
    }
    visit(exec, from, to.size(), [to](std::span<const T> values, std::size_t first) {
      for (std::size_t i = 0; i < values.size(); ++i) to[first + i] = widen(values[i]);
    });
  }

 private:
  template <class T>
  std::span<T> piece() const {
    return {reinterpret_cast<T*>(buffer_.data()), buffer_.size() * sizeof(double) / sizeof(T)};
  }

  bool staged_;
  mutable std::vector<double> buffer_;  // staging_piece_bytes, aligned for every element type
};

}  // namespace vlmark::engine
