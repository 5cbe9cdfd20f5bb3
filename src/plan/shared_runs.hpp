#pragma once

#include <vector>

#include "src/base/partition.hpp"
#include "src/plan/flat_layout.hpp"

namespace vlmark::plan {

/// Elements of the flat layout that the same tensor ranks hold, each with a gradient of its own: of
/// its tokens, or of its query heads.
struct SharedRun {
  Range range;    ///< flat
  Block holders;  ///< tensor ranks
  Sharing sharing;
};

/// All of a rank's, in order; neighbours of one sharing and equal holders are one. Padding between
/// two parameters is zero everywhere and may travel with them.
std::vector<SharedRun> shared_runs(const ParameterTable& table, const FlatLayout& layout);

}  // namespace vlmark::plan
