#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "src/data/patches.hpp"
#include "src/data/resize.hpp"
#include "src/data/smart_resize.hpp"
#include "src/data/video_frames.hpp"
#include "tests/data/data_files.hpp"
#include "tests/support/random_data.hpp"

namespace vlmark::test {
namespace {

constexpr std::uint64_t seed = 31;

/// A length between 1 and 2^bits, small ones as likely as large ones.
std::vector<int> lengths(std::size_t count, std::uint64_t stream, int bits) {
  std::vector<int> result;
  const std::vector<int> exponents = integers(count, seed + stream, bits);
  const std::vector<int> fractions = integers(count, seed + stream + 100, 1 << 16);
  for (std::size_t i = 0; i < count; ++i) {
    result.push_back(static_cast<int>(std::exp2(exponents[i] + fractions[i] / 65536.0)));
  }
  return result;
}

TEST(ResizeProperty, AConstantPictureStaysConstant) {
  const auto sizes = lengths(4 * 60, 0, 8);
  for (std::size_t i = 0; i < sizes.size(); i += 4) {
    for (const int value : {0, 1, 127, 254, 255}) {
      const auto grey = static_cast<std::uint8_t>(value);
      const data::Image image = data::constant_image(sizes[i], sizes[i + 1], grey);
      EXPECT_TRUE(data::resize_bicubic(image, sizes[i + 2], sizes[i + 3]) ==
                  data::constant_image(sizes[i + 2], sizes[i + 3], grey))
          << sizes[i] << "x" << sizes[i + 1] << " to " << sizes[i + 2] << "x" << sizes[i + 3];
    }
  }
}

TEST(ResizeProperty, ChannelsDoNotMix) {
  const data::Image image = random_image(61, 47, seed);
  data::Image grey = image;
  for (std::size_t i = 0; i < grey.rgb.size(); ++i) grey.rgb[i] = image.rgb[i / 3 * 3 + 1];
  const data::Image resized = data::resize_bicubic(image, 84, 28);
  const data::Image green = data::resize_bicubic(grey, 84, 28);
  for (std::size_t i = 0; i < green.rgb.size(); ++i) {
    ASSERT_EQ(green.rgb[i], resized.rgb[i / 3 * 3 + 1]) << i;
  }
}

TEST(SmartResizeProperty, SizesAreMultiplesWithinTheLimits) {
  const auto heights = lengths(20000, 1, 13), widths = lengths(20000, 2, 13);
  for (std::size_t i = 0; i < heights.size(); ++i) {
    const int h = heights[i], w = widths[i];
    if (std::max(h, w) > 200L * std::min(h, w)) continue;
    const data::ImageSize size = data::smart_resize(h, w);
    ASSERT_TRUE(size.height % 28 == 0 && size.width % 28 == 0) << h << "x" << w;
    ASSERT_TRUE(size.height >= 28 && size.width >= 28) << h << "x" << w;
    ASSERT_GE(1.0 * size.height * size.width, 3136) << h << "x" << w;
    ASSERT_LE(1.0 * size.height * size.width, 16384 * 784) << h << "x" << w;
    // Sizes that the rule gave stay as they are, unless rounding took them past the aspect limit.
    if (std::max(size.height, size.width) > 200L * std::min(size.height, size.width)) continue;
    ASSERT_EQ(data::smart_resize(size.height, size.width), size) << h << "x" << w;
  }
}

TEST(PatchesProperty, ThePermutationIsABijection) {
  // Every pixel value carries its place in two frames of 28 x 28; 3 * 2 * 784 places need 13 bits,
  // so that one run covers the low and one the high byte.
  plan::VisionConfig vision;
  vision.patch_size = 7;
  std::vector<data::Image> low(4, data::constant_image(56, 28, 0)), high = low;
  int place = 0;
  for (std::size_t f = 0; f < low.size(); ++f) {
    for (std::size_t i = 0; i < low[f].rgb.size(); ++i, ++place) {
      low[f].rgb[i] = static_cast<std::uint8_t>(place & 255);
      high[f].rgb[i] = static_cast<std::uint8_t>(place >> 8);
    }
  }
  const data::Normalisation plain{.rescale = 1, .mean = {}, .deviation = {1, 1, 1}};
  const auto low_bytes = data::flatten_patches(low, vision, plain).values;
  const auto high_bytes = data::flatten_patches(high, vision, plain).values;
  std::set<int> seen;
  for (std::size_t i = 0; i < low_bytes.size(); ++i) {
    seen.insert(static_cast<int>(high_bytes[i]) * 256 + static_cast<int>(low_bytes[i]));
  }
  EXPECT_EQ(low_bytes.size(), static_cast<std::size_t>(place));
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(place));
}

TEST(PatchesProperty, APictureIsAVideoOfTwoEqualFrames) {
  const data::Image image = random_image(84, 56, seed);
  const std::vector<data::Image> pair(2, image);
  const plan::VisionConfig vision;
  EXPECT_EQ(data::flatten_patches({&image, 1}, vision).values,
            data::flatten_patches(pair, vision).values);
}

TEST(FrameProperty, IndicesAscendFromTheFirstToTheLastFrame) {
  const auto totals = lengths(2000, 3, 16);
  const auto shares = integers(2000, seed + 4, 1 << 16);
  for (std::size_t i = 0; i < totals.size(); ++i) {
    const std::int64_t total = totals[i];
    const std::int64_t count = 1 + static_cast<std::int64_t>(shares[i]) * total / (1 << 16);
    const std::vector<std::int64_t> indices = data::frame_indices(total, count);
    ASSERT_EQ(indices.size(), static_cast<std::size_t>(count));
    EXPECT_EQ(indices.front(), 0);
    EXPECT_EQ(indices.back(), count > 1 ? total - 1 : 0);
    EXPECT_EQ(std::adjacent_find(indices.begin(), indices.end(), std::greater_equal<>()),
              indices.end())
        << count << " of " << total;
  }
}

}  // namespace
}  // namespace vlmark::test
