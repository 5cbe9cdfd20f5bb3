#include "tests/support/expect_close.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest-spi.h>

#include <cmath>
#include <string>

#include "tests/support/random_data.hpp"

namespace vlmark::test {
namespace {

using Values = std::vector<double>;

bool is_close(const Values& actual, const Values& expected, double relative, double absolute) {
  return close(std::span<const double>(actual), expected, relative, absolute);
}

TEST(Close, AcceptsUpToTheTolerance) {
  EXPECT_TRUE(is_close({1, 2, 3}, {1, 2, 3}, 0, 0));
  EXPECT_TRUE(is_close({}, {}, 0, 0));
  EXPECT_TRUE(is_close({1.5}, {1}, 0, 0.5));
  EXPECT_TRUE(is_close({-3}, {-2}, 0.5, 0));
  EXPECT_FALSE(is_close({1.5}, {1}, 0, 0.49));
  EXPECT_FALSE(is_close({-3}, {-2}, 0.49, 0));
}

TEST(Close, RefusesNanWhereverItStands) {
  EXPECT_FALSE(is_close({NAN}, {0}, 1e9, 1e9));
  EXPECT_FALSE(is_close({0}, {NAN}, 1e9, 1e9));
  EXPECT_FALSE(is_close({NAN}, {NAN}, 1e9, 1e9));
  EXPECT_FALSE(is_close({NAN, 0}, {0, 0}, 1, 1));
  EXPECT_FALSE(is_close({0, NAN, 0}, {0, 0, 0}, 1, 1));
  EXPECT_FALSE(is_close({5, NAN}, {0, 0}, 1, 1));  // after a failure as well
}

TEST(Close, RefusesInfinity) {
  EXPECT_FALSE(is_close({INFINITY}, {1}, 1, 1));
  EXPECT_FALSE(is_close({1}, {INFINITY}, 1, 1));
  EXPECT_FALSE(is_close({-INFINITY}, {INFINITY}, 1, 1));
}

TEST(Close, RefusesDifferentSizes) {
  EXPECT_FALSE(is_close({1}, {1, 1}, 1, 1));
  EXPECT_FALSE(is_close({1, 1}, {1}, 1, 1));
  EXPECT_FALSE(is_close({}, {1}, 1, 1));
  const auto result = close(Values{1}, Values{1, 1}, 1, 1);
  EXPECT_STREQ(result.message(), "sizes differ: 1 (expected 2)");
}

TEST(Close, ToleranceOfZeroMeansEqual) {
  EXPECT_FALSE(is_close({std::nextafter(1.0, 2.0)}, {1}, 0, 0));
  EXPECT_FALSE(is_close({1e-300}, {0}, 0.5, 0));
}

TEST(Close, NamesTheWorstElement) {
  const auto result = close(Values{1, 2.5, 3, 7}, Values{1, 2, 3, 4}, 0, 0.25);
  EXPECT_STREQ(result.message(), "element 3 is 7 (expected 4), error / tolerance 12");
}

TEST(ExpectClose, ScalesByTheLargestExpectedValue) {
  const std::vector<float> actual = {100, 0.5f};
  expect_close(actual, Values{100, 0}, 0.005);
  EXPECT_NONFATAL_FAILURE(expect_close(std::vector<float>{100, 0.6f}, Values{100, 0}, 0.005),
                          "element 1");
  EXPECT_NONFATAL_FAILURE(expect_close(std::vector<float>{NAN}, Values{1}, 1e9), "element 0");
  EXPECT_NONFATAL_FAILURE(expect_close(std::vector<float>{}, Values{1}, 1), "sizes differ");
}

TEST(MaxAbs, OfNothingIsZero) {
  EXPECT_EQ(max_abs({}), 0);
  EXPECT_EQ(max_abs(Values{1, -3, 2}), 3);
}

TEST(RandomData, SameSeedSameNumbers) {
  EXPECT_EQ(gaussian(17, 3), gaussian(17, 3));
  EXPECT_NE(gaussian(17, 3), gaussian(17, 4));
  for (const int value : integers(1000, 3, 5)) EXPECT_TRUE(value >= 0 && value < 5);
}

}  // namespace
}  // namespace vlmark::test
