#include "src/stats/bootstrap.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "src/base/error.hpp"
#include "src/base/philox.hpp"
#include "src/stats/summary.hpp"

namespace vlmark::stats {
namespace {

/// Step times of mean 1 and deviation 0.05 with autocorrelation `rho`.
std::vector<double> steps(int n, double rho, std::uint64_t seed) {
  const Philox random(seed, "steps");
  std::vector<double> times;
  double state = random.normal(0);
  for (int i = 0; i < n; ++i) {
    if (i > 0) state = rho * state + std::sqrt(1 - rho * rho) * random.normal(i);
    times.push_back(1 + 0.05 * state);
  }
  return times;
}

/// Part of 400 windows of 300 steps whose interval holds the true rate.
double coverage(double rho) {
  const std::vector<double> work(300, 1.0);
  int inside = 0;
  for (int w = 0; w < 400; ++w) {
    const auto interval = block_bootstrap_rate(steps(300, rho, 1000 + w), work, 7);
    if (interval->low <= 1 && 1 <= interval->high) ++inside;
  }
  return inside / 400.0;
}

TEST(Bootstrap, BlocksHaveTenStepsOrMore) {
  EXPECT_EQ(block_length(20), 10);
  EXPECT_EQ(block_length(1000), 10);
  EXPECT_EQ(block_length(8000), 20);
}

TEST(Bootstrap, SameBitsForTheSameSeed) {
  const std::vector<double> times = steps(100, 0.3, 1), work(100, 5.0);
  const auto a = block_bootstrap_rate(times, work, 1), b = block_bootstrap_rate(times, work, 1),
             other = block_bootstrap_rate(times, work, 2);
  EXPECT_EQ(a->low, b->low);
  EXPECT_EQ(a->high, b->high);
  EXPECT_NE(a->low, other->low);
  EXPECT_LT(a->low, summarize(times, 500).mean_rate);
  EXPECT_GT(a->high, summarize(times, 500).mean_rate);
}

// Blocks of 10 lose some of the correlation of long stretches, so the intervals cover a little less
// than 95 %; single steps would cover 75 % at rho = 0.5.
TEST(Bootstrap, CoversTheRateOfAutocorrelatedSteps) {
  EXPECT_GT(coverage(0), 0.90);
  EXPECT_GT(coverage(0.5), 0.86);
}

TEST(Bootstrap, FollowsTheWorkOfEachStep) {
  // Twice the work in twice the time: the rate has no error at all.
  std::vector<double> times, work;
  for (int i = 0; i < 60; ++i) work.push_back(1 + i % 3), times.push_back(0.5 * work.back());
  const auto interval = block_bootstrap_rate(times, work, 3);
  EXPECT_DOUBLE_EQ(interval->low, 2);
  EXPECT_DOUBLE_EQ(interval->high, 2);
}

TEST(Bootstrap, NeedsTwoBlocks) {
  EXPECT_FALSE(block_bootstrap_rate(std::vector(19, 1.0), std::vector(19, 1.0), 1));
  EXPECT_TRUE(block_bootstrap_rate(std::vector(20, 1.0), std::vector(20, 1.0), 1));
  EXPECT_THROW(block_bootstrap_rate(std::vector(20, 1.0), std::vector(19, 1.0), 1), ValueError);
  EXPECT_THROW(block_bootstrap_rate(std::vector(20, 0.0), std::vector(20, 1.0), 1), ValueError);
}

}  // namespace
}  // namespace vlmark::stats
