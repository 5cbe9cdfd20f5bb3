#pragma once

namespace vlmark::plan {

/// Patches of one picture or video: t temporal patches (frame pairs) of h rows and w columns.
struct Grid {
  int t = 1, h = 0, w = 0;
  int patches() const { return t * h * w; }
  /// Tokens after merge_size x merge_size patches have become one.
  int merged(int merge_size) const { return t * (h / merge_size) * (w / merge_size); }
  bool operator==(const Grid&) const = default;
};

}  // namespace vlmark::plan
