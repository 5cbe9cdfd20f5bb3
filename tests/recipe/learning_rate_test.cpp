#include "src/recipe/learning_rate.hpp"

#include <gtest/gtest.h>

namespace vlmark::recipe {
namespace {

const LearningRate usual{.peak = 1e-3, .last = 1e-5, .warmup_steps = 10, .steps = 111};

TEST(LearningRate, RisesLinearlyToThePeak) {
  for (int step = 0; step < 10; ++step) EXPECT_DOUBLE_EQ(usual.at(step), 1e-4 * (step + 1));
  EXPECT_DOUBLE_EQ(usual.at(9), usual.peak);
}

TEST(LearningRate, CosineBeginsAtThePeakAndEndsAtTheLast) {
  EXPECT_DOUBLE_EQ(usual.at(10), 1e-3);
  EXPECT_DOUBLE_EQ(usual.at(60), (1e-3 + 1e-5) / 2);                             // half way
  EXPECT_DOUBLE_EQ(usual.at(35), 1e-5 + 99e-5 * (1 + 0.70710678118654752) / 2);  // a quarter
  EXPECT_DOUBLE_EQ(usual.at(110), 1e-5);
  for (int step = 11; step < 111; ++step) EXPECT_LT(usual.at(step), usual.at(step - 1));
}

TEST(LearningRate, StaysAtTheLastBeyondTheRun) {
  EXPECT_DOUBLE_EQ(usual.at(111), 1e-5);
  EXPECT_DOUBLE_EQ(usual.at(100000), 1e-5);
}

TEST(LearningRate, ConstantStaysAtThePeak) {
  LearningRate constant = usual;
  constant.cosine = false;
  EXPECT_DOUBLE_EQ(constant.at(0), 1e-4);
  for (const int step : {9, 10, 60, 110}) EXPECT_DOUBLE_EQ(constant.at(step), 1e-3);
}

TEST(LearningRate, ARunMayEndInsideTheWarmup) {
  const LearningRate rate{.peak = 1, .last = 0, .warmup_steps = 100, .steps = 3};
  EXPECT_DOUBLE_EQ(rate.at(0), 0.01);
  EXPECT_DOUBLE_EQ(rate.at(2), 0.03);
}

TEST(LearningRate, WithoutWarmupBeginsAtThePeak) {
  const LearningRate rate{.peak = 2, .last = 1, .warmup_steps = 0, .steps = 5};
  EXPECT_DOUBLE_EQ(rate.at(0), 2);
  EXPECT_DOUBLE_EQ(rate.at(2), 1.5);
  EXPECT_DOUBLE_EQ(rate.at(4), 1);
}

/// Where the cosine has no length, no division by zero: warm-up up to the last step, and one step.
TEST(LearningRate, ShortestRuns) {
  const LearningRate last_step{.peak = 2, .last = 1, .warmup_steps = 4, .steps = 5};
  EXPECT_DOUBLE_EQ(last_step.at(4), 2);
  const LearningRate one{.peak = 2, .last = 1, .warmup_steps = 0, .steps = 1};
  EXPECT_DOUBLE_EQ(one.at(0), 2);
}

}  // namespace
}  // namespace vlmark::recipe
