#pragma once

#include <span>
#include <vector>

#include "src/base/partition.hpp"

namespace vlmark::model {

/// Rows spread over the ranks of a tensor group in contiguous blocks of whole items: tokens, or
/// merged tokens of `unit` patches each. Any number of items; a rank may get none.
struct TokenBlocks {
  long items = 0, unit = 1;
  int rank = 0, ranks = 1;

  long rows() const { return items * unit; }
  /// Rows of rank `r`.
  Block of(int r) const {
    const Block held = block_of(items, r, ranks);
    return {held.begin * unit, held.end * unit};
  }
  Block local() const { return of(rank); }
  long local_rows() const { return local().size(); }
  /// The rank that holds `row`.
  int owner(long row) const { return owner_of(row / unit, items, ranks); }
};

/// Those of a list of rising rows that lie in this rank's block.
struct LocalRows {
  long first = 0;         ///< place of the first in the list
  std::vector<int> rows;  ///< counted from the block's begin
};
LocalRows local_rows(std::span<const int> rows, const TokenBlocks& blocks);

}  // namespace vlmark::model
