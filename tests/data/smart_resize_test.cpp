#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "src/base/error.hpp"
#include "src/data/smart_resize.hpp"

namespace vlmark::test {
namespace {

using data::ImageSize;
using data::smart_resize;
using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

struct Vector {
  int height, width, resized_height, resized_width;
};

TEST(SmartResize, MatchesWorkedExamples) {
  for (const Vector& v : {Vector{224, 224, 224, 224},
                          {480, 640, 476, 644},
                          {720, 1280, 728, 1288},
                          {1080, 1920, 1092, 1932},
                          {4000, 6000, 2912, 4368},
                          {5000, 5000, 3556, 3556},
                          {42, 70, 56, 56},
                          {70, 42, 56, 56},
                          {20, 30, 56, 84},
                          {28, 28, 56, 56},
                          {5, 1000, 28, 812}}) {
    EXPECT_EQ(smart_resize(v.height, v.width), (ImageSize{v.resized_height, v.resized_width}))
        << v.height << "x" << v.width;
  }
  const data::PixelLimits smaller{.max = 1280 * 784};
  EXPECT_EQ(smart_resize(1080, 1920, smaller), (ImageSize{728, 1316}));
  EXPECT_EQ(smart_resize(5000, 5000, smaller), (ImageSize{980, 980}));
}

TEST(SmartResize, KeepsARowWhereTheLimitLeavesNone) {
  const ImageSize strip = smart_resize(28, 5600, {.min = 784, .max = 7840});
  EXPECT_EQ(strip.height, 28);
  EXPECT_GE(strip.width, 28);
}

TEST(SmartResize, FollowsTheFactor) {
  EXPECT_EQ(smart_resize(100, 200, {.min = 1, .max = 1e6}, 32), (ImageSize{96, 192}));
  EXPECT_EQ(smart_resize(100, 200, {.min = 1, .max = 1e6}, 1), (ImageSize{100, 200}));
}

TEST(SmartResizeErrors, NameBothSidesOfAnExtremeRatio) {
  EXPECT_NO_THROW(smart_resize(1, 200));
  EXPECT_THAT([] { smart_resize(5, 1010); },
              ThrowsMessage<ValueError>(AllOf(HasSubstr("height 5 and width 1010"),
                                              HasSubstr("aspect ratio of 202"), HasSubstr("200"))));
  EXPECT_THROW(smart_resize(2001, 10), ValueError);
}

TEST(SmartResizeErrors, RefuseSenselessArguments) {
  EXPECT_THROW(smart_resize(0, 10), ValueError);
  EXPECT_THROW(smart_resize(10, -1), ValueError);
  EXPECT_THROW(smart_resize(10, 10, {}, 0), ValueError);
  EXPECT_THAT([] { smart_resize(10, 10, {.min = 4000, .max = 3999}); },
              ThrowsMessage<ValueError>(AllOf(HasSubstr("4000"), HasSubstr("3999"))));
  EXPECT_THROW(smart_resize(10, 10, {.min = 0, .max = 1}), ValueError);
  EXPECT_THROW(smart_resize(10, 10, {.min = 1, .max = std::nan("")}), ValueError);
  EXPECT_THROW(smart_resize(10, 10, {.min = 1e30, .max = 1e31}), ValueError);
}

}  // namespace
}  // namespace vlmark::test
