#include "src/base/partition.hpp"

#include <string>

#include "src/base/error.hpp"

namespace vlmark {
namespace {

/// floor(n r / R) without forming n r, which overflows for large n.
std::int64_t scaled(std::int64_t n, std::int64_t r, std::int64_t ranks) {
  return n / ranks * r + n % ranks * r / ranks;
}

}  // namespace

Block block_of(std::int64_t items, int rank, int ranks) {
  if (items < 0 || ranks < 1 || rank < 0 || rank >= ranks)
    throw ValueError("block_of: " + std::to_string(items) + " items for rank " +
                     std::to_string(rank) + " of " + std::to_string(ranks) +
                     " (expected items >= 0 and 0 <= rank < ranks). Check the layout");
  return {scaled(items, rank, ranks), scaled(items, rank + 1, ranks)};
}

int owner_of(std::int64_t item, std::int64_t items, int ranks) {
  if (item < 0 || item >= items || ranks < 1)
    throw ValueError("owner_of: item " + std::to_string(item) + " of " + std::to_string(items) +
                     " over " + std::to_string(ranks) +
                     " ranks (expected 0 <= item < items). Check the layout");
  int low = 0, high = ranks - 1;  // the first rank whose block ends after the item
  while (low < high) {
    const int middle = low + (high - low) / 2;
    if (block_of(items, middle, ranks).end > item)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

}  // namespace vlmark
