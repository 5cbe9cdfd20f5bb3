#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "src/base/error.hpp"
#include "src/data/video_frames.hpp"

namespace vlmark::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(FrameCount, FollowsTheReleaseRule) {
  EXPECT_EQ(data::frame_count(300, 30), 20);
  EXPECT_EQ(data::frame_count(1800, 30), 120);
  EXPECT_EQ(data::frame_count(18000, 30), 768);
  EXPECT_EQ(data::frame_count(7, 25), 4);
  EXPECT_EQ(data::frame_count(2, 1), 2);
  EXPECT_EQ(data::frame_count(100, 40), 4);  // 5 / 2 = 2.5 rounds to 2 pairs
}

TEST(FrameCount, ObeysTheSampling) {
  EXPECT_EQ(data::frame_count(300, 30, {.fps = 1}), 10);
  EXPECT_EQ(data::frame_count(300, 30, {.min_frames = 31}), 32);
  EXPECT_EQ(data::frame_count(300, 30, {.max_frames = 9}), 8);
  EXPECT_EQ(data::frame_count(7, 1, {.max_frames = 100}), 6);
  EXPECT_EQ(data::frame_count(300, 30, {.frames = 11}), 12);
  EXPECT_EQ(data::frame_count(300, 30, {.frames = 13}), 12);
  EXPECT_EQ(data::frame_count(300, 30, {.frame_factor = 4}), 20);
}

TEST(FrameCountErrors, NameBothNumbers) {
  EXPECT_THAT([] { data::frame_count(1, 30); },
              ThrowsMessage<ValueError>(AllOf(HasSubstr("0 frames"), HasSubstr("of 1 frames"))));
  EXPECT_THAT([] { data::frame_count(10, 30, {.frames = 12}); },
              ThrowsMessage<ValueError>(AllOf(HasSubstr("12 frames"), HasSubstr("of 10 frames"))));
  EXPECT_THROW(data::frame_count(0, 30), ValueError);
  EXPECT_THROW(data::frame_count(300, 0), ValueError);
  EXPECT_THROW(data::frame_count(300, std::numeric_limits<double>::quiet_NaN()), ValueError);
  EXPECT_THROW(data::frame_count(300, 30, {.fps = -1}), ValueError);
  EXPECT_THROW(data::frame_count(300, 30, {.max_frames = 0}), ValueError);
}

TEST(FrameIndices, SpreadFromFirstToLast) {
  EXPECT_EQ(data::frame_indices(7, 4), (std::vector<std::int64_t>{0, 2, 4, 6}));
  EXPECT_EQ(data::frame_indices(5, 4), (std::vector<std::int64_t>{0, 1, 3, 4}));
  EXPECT_EQ(data::frame_indices(2, 2), (std::vector<std::int64_t>{0, 1}));
  EXPECT_EQ(data::frame_indices(9, 1), (std::vector<std::int64_t>{0}));
  EXPECT_LT(data::frame_indices((1 << 25) + 2, 2).back(), (1 << 25) + 2);
  EXPECT_THROW(data::frame_indices(4, 5), ValueError);
  EXPECT_THROW(data::frame_indices(4, 0), ValueError);
}

TEST(FrameIndices, RoundOnceAsTorchDoes) {
  // Points of torch.linspace that two roundings (no fused multiply-add) put on another frame.
  EXPECT_EQ(data::frame_indices(61501, 610).at(372), 37567);
  EXPECT_EQ(data::frame_indices(61501, 610).at(440), 44433);
  EXPECT_EQ(data::frame_indices(35547, 448).at(400), 31809);
  EXPECT_EQ(data::frame_indices(27297, 344).at(237), 18861);
}

TEST(FramePixelLimits, GiveTheSizesOfTheRelease) {
  const auto resized = [](int height, int width, std::int64_t frames) {
    return data::smart_resize(height, width, data::frame_pixel_limits(frames));
  };
  EXPECT_EQ(resized(1080, 1920, 20), (data::ImageSize{560, 1008}));
  EXPECT_EQ(resized(720, 1280, 120), (data::ImageSize{420, 728}));
  EXPECT_EQ(resized(720, 1280, 768), (data::ImageSize{224, 420}));
  EXPECT_THROW(data::frame_pixel_limits(0), ValueError);
}

}  // namespace
}  // namespace vlmark::test
