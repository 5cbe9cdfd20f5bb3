#pragma once

#include <cstdint>
#include <vector>

#include "src/plan/grid.hpp"

namespace vlmark::plan {

/// What one micro-batch holds, without its contents: packed sequences, no padding.
struct MicroBatchShape {
  std::vector<int> sequences;  ///< tokens of each sequence, vision tokens included
  std::vector<Grid> media;     ///< pictures and videos in order of appearance
  int supervised = 0;          ///< rows the loss is taken over

  long tokens() const;
  long patches() const;
  /// Patches of each attention segment of the ViT: one per frame pair.
  std::vector<int> vit_segments() const;
  bool operator==(const MicroBatchShape&) const = default;
};

/// Prefix sums starting at 0, as variable-length attention wants them.
std::vector<int> cumulative(const std::vector<int>& lengths);

}  // namespace vlmark::plan
