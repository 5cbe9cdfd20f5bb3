#include "src/engine/arena_memory.hpp"

#include <stdexcept>
#include <string>

namespace vlmark::engine {

ArenaMemory::ArenaMemory(std::int64_t bytes) : bytes_(bytes) {
  try {
    memory_ = Kokkos::View<std::byte*, kernels::Memory>(
        Kokkos::view_alloc("vlmark::arena", Kokkos::WithoutInitializing),
        static_cast<std::size_t>(bytes));
  } catch (const std::runtime_error& e) {
    throw DeviceError("arena: " + std::to_string(bytes) + " byte cannot be allocated (" + e.what() +
                      "). Use more ranks, smaller micro-batches or recompute");
  }
}

}  // namespace vlmark::engine
