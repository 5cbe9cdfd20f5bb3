#include "src/app/progress.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "src/app/text.hpp"
#include "src/base/error.hpp"

namespace vlmark::app {
namespace {

TEST(Progress, ReadsAsDocumented) {
  EXPECT_EQ(progress_text({.step = 84,
                           .steps = 150,
                           .loss = 0.2123,
                           .learning_rate = 8.1e-4,
                           .positions_per_s = 1930.2,
                           .seconds_left = 41}),
            "train  step 84/150  loss 0.212  lr 8.1e-04  1,930 positions/s  00:41 left");
}

TEST(Progress, LossKeepsThreeDigits) {
  const auto with = [](double loss) {
    return progress_text({.step = 1, .steps = 2, .loss = loss});
  };
  EXPECT_THAT(with(6.3), testing::HasSubstr("  loss 6.30  "));
  EXPECT_THAT(with(12.34), testing::HasSubstr("  loss 12.3  "));
  EXPECT_THAT(with(0.01234), testing::HasSubstr("  loss 0.0123  "));
}

TEST(Progress, TimeLeftGrowsBeyondAnHour) {
  const auto left = [](double seconds) {
    const std::string text = progress_text({.step = 1, .steps = 2, .seconds_left = seconds});
    return text.substr(text.find("positions/s") + 13);
  };
  EXPECT_EQ(left(0), "00:00 left");
  EXPECT_EQ(left(59.7), "01:00 left");
  EXPECT_EQ(left(61), "01:01 left");
  EXPECT_EQ(left(3600 * 2 + 5), "120:05 left");
}

TEST(Progress, CommasGroupThousands) {
  EXPECT_EQ(with_commas(0), "0");
  EXPECT_EQ(with_commas(999), "999");
  EXPECT_EQ(with_commas(1000), "1,000");
  EXPECT_EQ(with_commas(12345.6), "12,346");
  EXPECT_EQ(with_commas(8291375616), "8,291,375,616");
  EXPECT_EQ(with_commas(-123), "-123");
  EXPECT_EQ(with_commas(-1234567), "-1,234,567");
}

TEST(Progress, StylesByName) {
  EXPECT_EQ(progress_style("line"), ProgressStyle::line);
  EXPECT_EQ(progress_style("log"), ProgressStyle::log);
  EXPECT_EQ(progress_style("off"), ProgressStyle::off);
  EXPECT_THAT([] { progress_style("loud"); },
              testing::ThrowsMessage<ConfigError>(
                  "--progress: 'loud' is not known. Use auto, line, log or off"));
}

std::string shown(ProgressStyle style, int steps) {
  testing::internal::CaptureStderr();
  for (int step = 1; step <= steps; ++step) show({.step = step, .steps = steps}, style);
  return testing::internal::GetCapturedStderr();
}

TEST(Progress, ALineIsRewrittenInPlaceAndEndsOnce) {
  const std::string text = shown(ProgressStyle::line, 30);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\r'), 30);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  EXPECT_TRUE(text.ends_with("\n"));
}

TEST(Progress, ALogHasAboutTenLinesTheFirstAndTheLast) {
  const std::string text = shown(ProgressStyle::log, 150);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 11);
  EXPECT_THAT(text, testing::StartsWith("train  step 1/150"));
  EXPECT_THAT(text, testing::HasSubstr("\ntrain  step 150/150"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\r'), 0);
  const std::string few = shown(ProgressStyle::log, 3);
  EXPECT_EQ(std::count(few.begin(), few.end(), '\n'), 3);
}

TEST(Progress, OffSaysNothing) { EXPECT_EQ(shown(ProgressStyle::off, 5), ""); }

}  // namespace
}  // namespace vlmark::app
