#include "src/plan/arena.hpp"

#include <algorithm>

#include "src/base/contracts.hpp"

namespace vlmark::plan {

std::int64_t Arena::acquire(std::int64_t bytes) {
  expects(bytes >= 0);
  bytes = std::max<std::int64_t>((bytes + alignment - 1) / alignment, 1) * alignment;
  std::int64_t offset = end_;
  const auto fits = [bytes](const auto& block) { return block.second >= bytes; };
  if (const auto it = std::find_if(free_.begin(), free_.end(), fits); it != free_.end()) {
    offset = it->first;
    const std::int64_t left = it->second - bytes;
    free_.erase(it);
    if (left > 0) free_[offset + bytes] = left;
  } else {
    end_ += bytes;
    high_water_ = std::max(high_water_, end_);
  }
  live_[offset] = bytes;
  used_ += bytes;
  // The mixing step of splitmix64.
  trail_ = (trail_ + 0x9e3779b97f4a7c15 + static_cast<std::uint64_t>(offset)) * 0xbf58476d1ce4e5b9;
  trail_ ^= trail_ >> 31;
  return offset;
}

void Arena::release(std::int64_t offset) {
  const auto it = live_.find(offset);
  expects(it != live_.end());  // released twice, or never acquired
  std::int64_t bytes = it->second;
  used_ -= bytes;
  live_.erase(it);
  if (const auto next = free_.find(offset + bytes); next != free_.end()) {
    bytes += next->second;
    free_.erase(next);
  }
  if (auto before = free_.lower_bound(offset); before != free_.begin()) {
    --before;
    if (before->first + before->second == offset) {
      offset = before->first;
      bytes += before->second;
      free_.erase(before);
    }
  }
  // A free block at the end is given back, so that the next large tensor may start inside it.
  if (offset + bytes == end_)
    end_ = offset;
  else
    free_[offset] = bytes;
}

}  // namespace vlmark::plan
