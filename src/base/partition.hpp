#pragma once

#include <cstdint>

namespace vlmark {

/// The items [begin, end).
struct Block {
  std::int64_t begin = 0, end = 0;
  std::int64_t size() const { return end - begin; }
  bool operator==(const Block&) const = default;
};

/// Contiguous share of rank r when n items are spread over R ranks:
///
///     [floor(n r / R), floor(n (r + 1) / R))
///
/// Sizes differ by at most one; blocks follow each other in rank order and cover all items; a rank
/// may get none when n < R. Pure: every rank can compute every other's. Throws ValueError unless
/// items >= 0 and 0 <= rank < ranks.
Block block_of(std::int64_t items, int rank, int ranks);

/// The rank whose block holds `item`. Throws ValueError unless 0 <= item < items.
int owner_of(std::int64_t item, std::int64_t items, int ranks);

}  // namespace vlmark
