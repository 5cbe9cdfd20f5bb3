#include "src/model/positions.hpp"

#include <algorithm>
#include <string>

#include "src/base/error.hpp"

namespace vlmark::model {
namespace {

std::string to_string(const plan::Grid& grid) {
  return std::to_string(grid.t) + "x" + std::to_string(grid.h) + "x" + std::to_string(grid.w);
}

/// Throws unless pads of one kind start at `i` and go on for the whole medium.
void require_pads(std::span<const int> ids, std::size_t i, const plan::Grid& grid, int merge) {
  const std::size_t wanted = static_cast<std::size_t>(grid.merged(merge));
  std::size_t found = 0;
  while (i + found < ids.size() && ids[i + found] == ids[i]) ++found;
  if (found >= wanted) return;
  throw ValueError("positions: " + std::to_string(found) + " vision tokens stand at index " +
                   std::to_string(i) + " (expected " + std::to_string(wanted) +
                   " for a medium of " + to_string(grid) +
                   " patches). Expand each vision pad to one token per merged patch");
}

}  // namespace

Positions mrope_positions(std::span<const int> ids, std::span<const plan::Grid> grids,
                          const plan::ModelConfig& model) {
  const int merge = model.vision.merge_size;
  Positions p;
  for (auto* axis : {&p.t, &p.h, &p.w}) axis->reserve(ids.size());
  const auto place = [&p](int t, int h, int w) {
    p.t.push_back(t);
    p.h.push_back(h);
    p.w.push_back(w);
  };
  int next = 0;
  std::size_t medium = 0;
  for (std::size_t i = 0; i < ids.size();) {
    if (ids[i] != model.image_id && ids[i] != model.video_id) {
      place(next, next, next);
      ++next, ++i;
      continue;
    }
    if (medium == grids.size())
      throw ValueError("positions: a vision token stands at index " + std::to_string(i) +
                       " but all " + std::to_string(grids.size()) +
                       " media are used up. Give one medium per vision block");
    const plan::Grid& grid = grids[medium++];
    require_pads(ids, i, grid, merge);
    const int rows = grid.h / merge, columns = grid.w / merge;
    for (int a = 0; a < grid.t; ++a)
      for (int b = 0; b < rows; ++b)
        for (int c = 0; c < columns; ++c) place(next + a, next + b, next + c);
    next += std::max({grid.t, rows, columns});
    i += static_cast<std::size_t>(grid.merged(merge));
  }
  if (medium != grids.size())
    throw ValueError("positions: " + std::to_string(medium) + " of " +
                     std::to_string(grids.size()) +
                     " media have vision tokens. Put a vision block into the text for each");
  p.delta = next - static_cast<int>(ids.size());
  return p;
}

void append_patch_coordinates(const plan::Grid& grid, int merge_size, std::vector<int>& h,
                              std::vector<int>& w) {
  for (int t = 0; t < grid.t; ++t)
    for (int block_h = 0; block_h < grid.h; block_h += merge_size)
      for (int block_w = 0; block_w < grid.w; block_w += merge_size)
        for (int in_h = 0; in_h < merge_size; ++in_h)
          for (int in_w = 0; in_w < merge_size; ++in_w) {
            h.push_back(block_h + in_h);
            w.push_back(block_w + in_w);
          }
}

}  // namespace vlmark::model
