#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/base/error.hpp"
#include "src/data/patches.hpp"
#include "src/data/resize.hpp"
#include "tests/data/data_files.hpp"

namespace vlmark::test {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

struct Case {
  int frames, width, height, patch_size, temporal_patch_size, merge_size;
};
void PrintTo(const Case& c, std::ostream* out) {
  *out << c.frames << " frames of " << c.width << "x" << c.height << ", patch " << c.patch_size
       << ", temporal " << c.temporal_patch_size << ", merge " << c.merge_size;
}

plan::VisionConfig vision_of(const Case& c) {
  plan::VisionConfig vision;
  vision.patch_size = c.patch_size;
  vision.temporal_patch_size = c.temporal_patch_size;
  vision.merge_size = c.merge_size;
  return vision;
}

std::vector<data::Image> random_frames(int count, int width, int height) {
  std::vector<data::Image> frames;
  for (int i = 0; i < count; ++i) {
    frames.push_back(random_image(width, height, 20 + static_cast<std::uint64_t>(i)));
  }
  return frames;
}

class FlattenPatches : public testing::TestWithParam<Case> {};

TEST_P(FlattenPatches, PutsEveryValueWhereTheFormulaSays) {
  const Case& c = GetParam();
  const int side = c.patch_size, merge = c.merge_size, pair = c.temporal_patch_size;
  const std::vector<data::Image> frames = random_frames(c.frames, c.width, c.height);
  const data::Normalisation plain{.rescale = 1, .mean = {}, .deviation = {1, 1, 1}};
  const data::PatchMatrix matrix = data::flatten_patches(frames, vision_of(c), plain);
  const plan::Grid grid = matrix.grid;
  ASSERT_EQ(grid, (plan::Grid{(c.frames + pair - 1) / pair, c.height / side, c.width / side}));
  const int columns = 3 * pair * side * side;
  ASSERT_EQ(matrix.values.size(), static_cast<std::size_t>(grid.patches()) * columns);
  for (int row = 0; row < grid.patches(); ++row) {
    const int t = row / (grid.h * grid.w);
    const int block = row % (grid.h * grid.w) / (merge * merge), inner = row % (merge * merge);
    const int gy = block / (grid.w / merge) * merge + inner / merge;
    const int gx = block % (grid.w / merge) * merge + inner % merge;
    for (int column = 0; column < columns; ++column) {
      const int px = column % side, py = column / side % side;
      const int f = column / (side * side) % pair, channel = column / (side * side * pair);
      const int frame = std::min(t * pair + f, c.frames - 1);
      const std::size_t pixel = static_cast<std::size_t>(gy * side + py) * c.width + gx * side + px;
      ASSERT_EQ(matrix.values[static_cast<std::size_t>(row) * columns + column],
                frames[frame].rgb[pixel * 3 + channel])
          << "row " << row << ", column " << column;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, FlattenPatches,
                         testing::Values(Case{1, 56, 28, 14, 2, 2}, Case{2, 84, 56, 14, 2, 2},
                                         Case{3, 56, 84, 14, 2, 2}, Case{8, 28, 28, 14, 2, 2},
                                         Case{5, 48, 32, 16, 2, 1}, Case{4, 36, 24, 4, 3, 3},
                                         Case{7, 16, 8, 4, 1, 2}, Case{5, 8, 8, 4, 4, 1}));

TEST(FlattenPatchesOrder, WalksTwoByTwoBlocks) {
  // Grid 4 x 6 of the model description: (0,0) (0,1) (1,0) (1,1) (0,2) (0,3) (1,2) (1,3) ...
  data::Image image = data::constant_image(6 * 14, 4 * 14, 0);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      image.rgb[(static_cast<std::size_t>(y) * image.width + x) * 3] =
          static_cast<std::uint8_t>(y / 14 * 10 + x / 14);
    }
  }
  const data::Normalisation plain{.rescale = 1, .mean = {}, .deviation = {1, 1, 1}};
  const auto matrix = data::flatten_patches({&image, 1}, plan::VisionConfig{}, plain);
  std::vector<float> first;
  for (int row = 0; row < 12; ++row) first.push_back(matrix.values[std::size_t{1176} * row]);
  EXPECT_EQ(first, (std::vector<float>{0, 1, 10, 11, 2, 3, 12, 13, 4, 5, 14, 15}));
}

TEST(FlattenPatchesValues, AreNormalisedByChannel) {
  const data::Image white = data::constant_image(28, 28, 255);
  const auto matrix = data::flatten_patches({&white, 1}, plan::VisionConfig{});
  for (int c = 0; c < 3; ++c) {
    const data::Normalisation clip;
    EXPECT_NEAR(matrix.values[std::size_t{392} * c], (1 - clip.mean[c]) / clip.deviation[c], 1e-6);
  }
}

TEST(FlattenPatchesErrors, SayWhatDoesNotFit) {
  const plan::VisionConfig vision;
  EXPECT_THROW(data::flatten_patches({}, vision), ValueError);
  const std::vector<data::Image> mixed = {random_image(28, 28, 1), random_image(56, 28, 2)};
  EXPECT_THAT([&] { data::flatten_patches(mixed, vision); },
              ThrowsMessage<ShapeError>(HasSubstr("frame 1 has height 28 and width 56")));
  EXPECT_THROW(data::preprocess(mixed, {}, vision), ShapeError);
  const data::Image odd = random_image(42, 28, 3);
  EXPECT_THAT(
      [&] {
        data::flatten_patches({&odd, 1}, vision);
      },
      ThrowsMessage<ShapeError>(HasSubstr("not positive multiples of 28")));
  const data::Image image = random_image(28, 28, 4);
  std::vector<float> small(7);
  EXPECT_THAT(
      [&] {
        data::flatten_patches({&image, 1}, vision, {}, small);
      },
      ThrowsMessage<ShapeError>(HasSubstr("'out' has shape [7] (expected [4704])")));
  plan::VisionConfig grey;
  grey.in_channels = 1;
  EXPECT_THAT(
      [&] {
        data::flatten_patches({&image, 1}, grey);
      },
      ThrowsMessage<ShapeError>(HasSubstr("in_channels is 1")));
  EXPECT_THROW(data::flatten_patches({&image, 1}, vision, {.deviation = {1, 0, 1}}), ValueError);
}

TEST(Preprocess, GridFollowsFromTheOriginalSize) {
  const plan::VisionConfig vision;
  const data::PixelLimits limits{.max = 50176};
  const std::vector<data::Image> frames = random_frames(5, 150, 97);
  const data::PatchMatrix matrix = data::preprocess(frames, limits, vision);
  EXPECT_EQ(matrix.grid, data::preprocessed_grid(5, {97, 150}, limits, vision));
  EXPECT_EQ(matrix.grid.t, 3);
  EXPECT_EQ(matrix.grid.merged(2) * 4, matrix.grid.patches());
}

}  // namespace
}  // namespace vlmark::test
