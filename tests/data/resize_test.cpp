#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "src/base/error.hpp"
#include "src/data/resize.hpp"
#include "tests/data/data_files.hpp"

namespace vlmark::test {
namespace {

struct Case {
  int in_width, in_height, width, height;
};
void PrintTo(const Case& c, std::ostream* out) {
  *out << c.in_width << "x" << c.in_height << " to " << c.width << "x" << c.height;
}

/// The filter in double, by its definition: every tap of the whole line, no fixed point, values
/// between the passes clipped but not rounded.
double keys_cubic(double x) {
  x = std::abs(x);
  if (x < 1) return 1.5 * x * x * x - 2.5 * x * x + 1;
  if (x < 2) return -0.5 * x * x * x + 2.5 * x * x - 4 * x + 2;
  return 0;
}

/// [lines, in] -> [out, lines]: resizes along the last axis and transposes, so that two calls
/// resize both axes.
std::vector<double> resize_line(const std::vector<double>& values, int in, int out) {
  const int lines = static_cast<int>(values.size()) / in;
  std::vector<double> result;
  if (in == out) {
    for (int i = 0; i < out; ++i) {
      for (int line = 0; line < lines; ++line) {
        result.push_back(values[static_cast<std::size_t>(line) * in + i]);
      }
    }
    return result;
  }
  const double scale = static_cast<double>(in) / out, widening = std::max(scale, 1.0);
  for (int i = 0; i < out; ++i) {
    std::vector<double> weights;
    double sum = 0;
    for (int j = 0; j < in; ++j) {
      weights.push_back(keys_cubic((j + 0.5 - (i + 0.5) * scale) / widening));
      sum += weights.back();
    }
    for (int line = 0; line < lines; ++line) {
      double total = 0;
      for (int j = 0; j < in; ++j) {
        total += weights[j] / sum * values[static_cast<std::size_t>(line) * in + j];
      }
      result.push_back(std::clamp(total, 0.0, 255.0));
    }
  }
  return result;
}

std::vector<double> resize_reference(const data::Image& image, int channel, int width, int height) {
  std::vector<double> values;
  for (std::size_t i = static_cast<std::size_t>(channel); i < image.rgb.size(); i += 3) {
    values.push_back(image.rgb[i]);
  }
  return resize_line(resize_line(values, image.width, width), image.height, height);
}

class ResizeBicubic : public testing::TestWithParam<Case> {};

TEST_P(ResizeBicubic, MatchesTheFilterInDouble) {
  const auto [in_width, in_height, width, height] = GetParam();
  const data::Image image = random_image(in_width, in_height, 11);
  const data::Image resized = data::resize_bicubic(image, width, height);
  ASSERT_EQ(resized.width, width);
  ASSERT_EQ(resized.height, height);
  ASSERT_EQ(resized.rgb.size(), std::size_t{3} * width * height);
  for (int c = 0; c < 3; ++c) {
    const std::vector<double> expected = resize_reference(image, c, width, height);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      // Rounding between the passes is at most 1/2, weighted by at most 5/4 (the sum of |K|), and
      // the last rounding adds 1/2: below 1.625, hence one level.
      ASSERT_NEAR(resized.rgb[3 * i + c], std::nearbyint(expected[i]), 1)
          << "channel " << c << ", pixel " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, ResizeBicubic,
                         testing::Values(Case{1, 1, 1, 1}, Case{1, 1, 28, 56}, Case{17, 33, 17, 33},
                                         Case{17, 33, 17, 28}, Case{17, 33, 56, 33},
                                         Case{20, 30, 56, 84}, Case{200, 150, 28, 28},
                                         Case{250, 5, 84, 28}, Case{2, 150, 28, 112},
                                         Case{300, 15, 310, 16}, Case{171, 16, 170, 31},
                                         Case{3, 97, 400, 5}));

TEST(ResizeBicubicOrder, TallStripsThatLoseRowsGoVerticallyFirst) {
  const data::Image strip = random_image(2, 250, 12);
  const auto rows_then_columns = [&](int width, int height) {
    return data::resize_bicubic(data::resize_bicubic(strip, width, 250), width, height);
  };
  const auto columns_then_rows = [&](int width, int height) {
    return data::resize_bicubic(data::resize_bicubic(strip, 2, height), width, height);
  };
  EXPECT_FALSE(rows_then_columns(28, 112) == columns_then_rows(28, 112));
  EXPECT_TRUE(data::resize_bicubic(strip, 28, 112) == columns_then_rows(28, 112));
  EXPECT_TRUE(data::resize_bicubic(strip, 28, 280) == rows_then_columns(28, 280));
}

TEST(ResizeBicubicErrors, RefusesEmptySizesAndInconsistentPictures) {
  const data::Image image = random_image(4, 4, 13);
  EXPECT_THROW(data::resize_bicubic(image, 0, 28), ValueError);
  EXPECT_THROW(data::resize_bicubic(image, 28, -1), ValueError);
  EXPECT_THROW(data::resize_bicubic({4, 4, {1, 2, 3}}, 28, 28), ShapeError);
  EXPECT_THROW(data::resize_bicubic({}, 28, 28), ShapeError);
}

}  // namespace
}  // namespace vlmark::test
