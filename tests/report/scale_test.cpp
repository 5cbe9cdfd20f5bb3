#include "src/report/scale.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vlmark::report {
namespace {

using testing::ElementsAre;

auto near(double error, const std::vector<double>& values) {
  return testing::Pointwise(testing::DoubleNear(error), values);
}

TEST(Scale, MapsEndsAndMiddle) {
  const Scale up{2, 6, 100, 20};  // of a vertical axis
  EXPECT_DOUBLE_EQ(up.at(2), 100);
  EXPECT_DOUBLE_EQ(up.at(4), 60);
  EXPECT_DOUBLE_EQ(up.at(6), 20);
  const Scale decades{1, 1e4, 0, 400, true};
  EXPECT_NEAR(decades.at(100), 200, 1e-9);
}

TEST(Scale, TicksAreRoundAndInside) {
  EXPECT_THAT(ticks({0, 1, 0, 1}, 5), near(1e-12, {0, 0.2, 0.4, 0.6, 0.8, 1.0}));
  EXPECT_THAT(ticks({13, 27, 0, 1}, 4), ElementsAre(15, 20, 25));
  EXPECT_THAT(ticks({-3, 3, 0, 1}, 3), ElementsAre(-2, 0, 2));
  EXPECT_THAT(ticks({1e3, 1e6, 0, 1, true}, 6), near(1e-3, {1e3, 1e4, 1e5, 1e6}));
}

TEST(Scale, StepIsTheSmallestThatFits) {
  EXPECT_DOUBLE_EQ(tick_step(10, 10), 1);
  EXPECT_DOUBLE_EQ(tick_step(11, 10), 2);
  EXPECT_DOUBLE_EQ(tick_step(0.03, 6), 0.005);
}

TEST(Scale, AxisBeginsAtZeroUnlessValuesLieClose) {
  EXPECT_EQ(axis_for(1, 10, 0, 1).low, 0);
  const Scale close = axis_for(98, 102, 0, 1);
  EXPECT_GT(close.low, 90);
  EXPECT_LT(close.low, 98);
  EXPECT_GT(close.high, 102);
  const Scale one = axis_for(5, 5, 0, 1);
  EXPECT_LT(one.low, 5);
  EXPECT_GT(one.high, 5);
  EXPECT_LT(axis_for(0, 0, 0, 1).low, axis_for(0, 0, 0, 1).high);
}

TEST(Scale, LogarithmicAxisHoldsItsValues) {
  const Scale axis = log_axis_for(3e9, 4e10, 0, 1);
  EXPECT_NEAR(axis.low, 1e9, 1);
  EXPECT_NEAR(axis.high, 1e11, 100);
  const Scale one = log_axis_for(100, 100, 0, 1);
  EXPECT_LT(one.low, one.high);
}

}  // namespace
}  // namespace vlmark::report
