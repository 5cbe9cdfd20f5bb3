#include "src/model/token_blocks.hpp"

#include <algorithm>

#include "src/base/contracts.hpp"

namespace vlmark::model {

LocalRows local_rows(std::span<const int> rows, const TokenBlocks& blocks) {
  expects(std::is_sorted(rows.begin(), rows.end()));
  const Block mine = blocks.local();
  const auto first = std::lower_bound(rows.begin(), rows.end(), mine.begin);
  const auto last = std::lower_bound(first, rows.end(), mine.end);
  LocalRows local{first - rows.begin(), {first, last}};
  for (int& row : local.rows) row -= static_cast<int>(mine.begin);
  return local;
}

}  // namespace vlmark::model
