#include "src/plan/arena.hpp"

#include <algorithm>
#include <iterator>

#include "src/base/contracts.hpp"

namespace vlmark::plan {

std::int64_t Arena::acquire(std::int64_t bytes) {
  expects(bytes >= 0);
  bytes = std::max<std::int64_t>((bytes + alignment - 1) / alignment, 1) * alignment;
  std::int64_t offset = end_;
  const auto fits = [bytes](const Free& block) { return block.bytes >= bytes; };
  if (const auto it = std::find_if(free_.begin(), free_.end(), fits); it != free_.end()) {
    offset = it->offset;
    it->offset += bytes;
    it->bytes -= bytes;
    if (it->bytes == 0) free_.erase(it);
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
  auto next =
      std::lower_bound(free_.begin(), free_.end(), offset,
                       [](const Free& block, std::int64_t at) { return block.offset < at; });
  if (next != free_.end() && next->offset == offset + bytes) {
    bytes += next->bytes;
    next = free_.erase(next);
  }
  if (next != free_.begin() && std::prev(next)->offset + std::prev(next)->bytes == offset) {
    --next;
    offset = next->offset;
    bytes += next->bytes;
    next = free_.erase(next);
  }
  // A free block at the end is given back, so that the next large tensor may start inside it.
  if (offset + bytes == end_)
    end_ = offset;
  else
    free_.insert(next, {offset, bytes});
}

}  // namespace vlmark::plan
