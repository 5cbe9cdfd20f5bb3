#include "src/verification/position_check.hpp"

#include <algorithm>
#include <array>

namespace vlmark::verification {
namespace {

/// Counts elements that differ, and missing or additional ones.
class Comparison {
 public:
  void expect(const std::vector<int>& found, std::size_t at, long expected) {
    wrong_ += at < found.size() && found[at] == expected ? 0 : 1;
  }
  void expect_size(const std::vector<int>& found, std::size_t size) {
    wrong_ += found.size() == size ? 0 : 1;
  }
  long wrong() const { return wrong_; }

 private:
  long wrong_ = 0;
};

}  // namespace

long wrong_positions(const model::MicroBatch& batch, const plan::ModelConfig& model,
                     model::Contents wanted) {
  Comparison compare;
  const std::size_t tokens = batch.ids.size();
  const int merge = model.vision.merge_size;
  compare.expect_size(batch.positions, 3 * tokens);
  compare.expect_size(batch.cu_seqlens, batch.shape.sequences.size() + 1);
  std::size_t first = 0, medium = 0;
  for (std::size_t s = 0; s < batch.shape.sequences.size(); ++s) {
    compare.expect(batch.cu_seqlens, s, static_cast<long>(first));
    const std::size_t end = first + static_cast<std::size_t>(batch.shape.sequences[s]);
    long saved = 0;  // positions that earlier media take less than they have tokens
    for (std::size_t i = first; i < end && i < tokens;) {
      const long here = static_cast<long>(i - first) - saved;
      std::array<long, 3> size{1, 1, 1};
      if (batch.ids[i] == model.image_id || batch.ids[i] == model.video_id) {
        if (medium == batch.shape.media.size()) return compare.wrong() + 1;
        const plan::Grid& grid = batch.shape.media[medium++];
        size = {grid.t, grid.h / merge, grid.w / merge};
      }
      const long count = size[0] * size[1] * size[2];
      for (long j = 0; j < count; ++j) {
        const std::array<long, 3> at{j / (size[1] * size[2]), j / size[2] % size[1], j % size[2]};
        for (std::size_t axis = 0; axis < 3; ++axis)
          compare.expect(batch.positions, axis * tokens + i + static_cast<std::size_t>(j),
                         here + at[axis]);
      }
      saved += count - *std::max_element(size.begin(), size.end());
      i += static_cast<std::size_t>(count);
    }
    first = end;
  }
  compare.expect(batch.cu_seqlens, batch.shape.sequences.size(), static_cast<long>(tokens));

  if (!wanted.vision) return compare.wrong();
  const std::size_t patches = batch.vit_hw.size() / 2;
  std::size_t patch = 0, frame = 0;
  for (const plan::Grid& grid : batch.shape.media) {
    const long unit = long{merge} * merge, per_row = long{grid.w} * merge;
    for (int t = 0; t < grid.t; ++t) {
      compare.expect(batch.vit_cu_seqlens, frame++, static_cast<long>(patch));
      for (long p = 0; p < long{grid.h} * grid.w; ++p, ++patch) {
        compare.expect(batch.vit_hw, patch, merge * (p / per_row) + p % unit / merge);
        compare.expect(batch.vit_hw, patches + patch, merge * (p % per_row / unit) + p % merge);
      }
    }
  }
  compare.expect(batch.vit_cu_seqlens, frame, static_cast<long>(patch));
  compare.expect_size(batch.vit_cu_seqlens, frame + 1);
  compare.expect_size(batch.vit_hw, 2 * patch);
  return compare.wrong();
}

}  // namespace vlmark::verification
