#pragma once

#include <span>
#include <vector>

#include "src/plan/grid.hpp"
#include "src/plan/model_config.hpp"

namespace vlmark::model {

/// Positions of one sequence on the three axes of M-RoPE.
struct Positions {
  std::vector<int> t, h, w;  ///< [tokens]
  /// Largest position + 1 - tokens: a token generated at index s has position s + delta.
  int delta = 0;
};

/// Multimodal positions by the rule of the model's release (Wang et al., arXiv:2409.12191,
/// section 2.1): text counts up on all axes; a medium of merged grid (t, h, w) starting at `next`
/// gives (next + a, next + b, next + c) to its tokens in raster order, and the text after it goes
/// on at the largest position so far + 1. (transformers from 5.3 ignores t in that last step.)
///
/// `ids` with vision pads expanded; `grids` in order of appearance, images and videos mixed.
/// Throws ValueError where pads and grids disagree.
Positions mrope_positions(std::span<const int> ids, std::span<const plan::Grid> grids,
                          const plan::ModelConfig& model);

/// Row and column of every patch of a medium, appended to `h` and `w`, in the order of the rows:
/// merge_size x merge_size blocks in raster order, repeated for each frame pair.
void append_patch_coordinates(const plan::Grid& grid, int merge_size, std::vector<int>& h,
                              std::vector<int>& w);

}  // namespace vlmark::model
