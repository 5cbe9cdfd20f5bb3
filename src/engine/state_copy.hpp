#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <type_traits>
#include <vector>

#include "src/engine/staging.hpp"

namespace vlmark::engine {

/// Kernel memory that a step changes and the next one reads.
struct StateRegion {
  void* memory;
  std::size_t bytes;
};

/// Such memory, and what the host knows of it, as one run of bytes.
template <class Known>
class StateCopy {
  static_assert(std::is_trivially_copyable_v<Known>);

 public:
  explicit StateCopy(std::vector<StateRegion> regions) : regions_(std::move(regions)) {}

  std::size_t bytes() const {
    std::size_t sum = sizeof(Known);
    for (const StateRegion& region : regions_) sum += region.bytes;
    return sum;
  }
  /// `to` has bytes(). Waits for `exec`, as restore() does.
  void save(const kernels::Exec& exec, const Known& known, std::span<std::byte> to) const {
    exec.fence("vlmark::save_state");
    std::memcpy(to.data(), &known, sizeof known);
    std::byte* at = to.data() + sizeof known;
    for (const StateRegion& region : regions_) {
      copy_to_host(exec, region.memory, at, region.bytes);
      at += region.bytes;
    }
  }
  Known restore(const kernels::Exec& exec, std::span<const std::byte> from) const {
    exec.fence("vlmark::restore_state");
    Known known;
    std::memcpy(&known, from.data(), sizeof known);
    const std::byte* at = from.data() + sizeof known;
    for (const StateRegion& region : regions_) {
      copy_to_kernels(exec, at, region.memory, region.bytes);
      at += region.bytes;
    }
    return known;
  }

 private:
  std::vector<StateRegion> regions_;
};

}  // namespace vlmark::engine
