#pragma once

namespace vlmark::plan {

/// Patches of one picture or video along time, height and width, before merging.
struct Grid {
  int t = 1;
  int h = 0;
  int w = 0;

  int patches() const { return t * h * w; }
  /// LLM tokens: one per merge_size x merge_size block of patches.
  int merged(int merge_size) const { return t * h * w / (merge_size * merge_size); }
  bool operator==(const Grid&) const = default;
};

}  // namespace vlmark::plan
