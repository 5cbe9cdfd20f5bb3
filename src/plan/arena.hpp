#pragma once

#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

namespace vlmark::plan {

/// Places tensors in one block of memory: first fit, alignment 256 byte. The sequence of calls
/// alone decides every offset, and planning and execution run this same code, so the high-water
/// mark of a recorded step *is* the memory the executed step needs.
class Arena {
 public:
  static constexpr std::int64_t alignment = 256;

  /// Offset of `bytes` fresh bytes (0 bytes: a place of its own, too).
  std::int64_t acquire(std::int64_t bytes);
  void release(std::int64_t offset);

  std::int64_t used() const { return used_; }
  /// Largest extent so far.
  std::int64_t high_water() const { return high_water_; }
  /// Hash of the offsets handed out since the last call, in order: equal trails of equal work from
  /// equal states leave equal states.
  std::uint64_t trail() { return std::exchange(trail_, 0); }

 private:
  struct Free {
    std::int64_t offset, bytes;
  };
  std::unordered_map<std::int64_t, std::int64_t> live_;  // offset -> bytes
  std::vector<Free> free_;                               // by offset; no two touch
  std::int64_t used_ = 0, end_ = 0, high_water_ = 0;
  std::uint64_t trail_ = 0;
};

}  // namespace vlmark::plan
