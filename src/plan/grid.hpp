#pragma once

namespace vlmark::plan {

/// Patches of one picture or video: frame pairs, rows, columns; before merging.
struct Grid {
  int t = 1, h = 0, w = 0;

  int patches() const { return t * h * w; }
  /// Tokens after merging merge_size x merge_size patches.
  int merged(int merge_size) const { return patches() / (merge_size * merge_size); }
  bool operator==(const Grid&) const = default;
};

}  // namespace vlmark::plan
