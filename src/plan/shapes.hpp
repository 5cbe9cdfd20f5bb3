#pragma once

#include <cstdint>
#include <span>
#include <string>
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

/// "sequences 17 20, media 1x4x6, 12 supervised".
std::string to_string(const MicroBatchShape& shape);

/// The shape in numbers, as stages tell it each other: number of sequences, their tokens, number of
/// media, t, h and w of each, supervised rows.
std::vector<std::int64_t> lengths_of(const MicroBatchShape& shape);
/// What telling it takes: their number, then the numbers.
std::uint64_t lengths_bytes(const MicroBatchShape& shape);
/// The way back. Throws ValueError where the numbers are no shape.
MicroBatchShape shape_of_lengths(std::span<const std::int64_t> lengths);

/// Prefix sums starting at 0, as variable-length attention wants them.
std::vector<int> cumulative(const std::vector<int>& lengths);

}  // namespace vlmark::plan
