#include "src/stats/summary.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "src/base/error.hpp"

namespace vlmark::stats {
namespace {

const std::vector<double> kSteps{0.52, 0.50, 0.51, 0.55, 0.49, 0.50,
                                 0.53, 0.50, 0.51, 0.90, 0.50, 0.52};

// s = numpy.array(kSteps)
TEST(Summary, AgreesWithNumpy) {
  const Summary s = summarize(kSteps, 1000);
  EXPECT_EQ(s.count, 12);
  EXPECT_DOUBLE_EQ(s.mean, 0.5441666666666666);  // s.mean()
  EXPECT_DOUBLE_EQ(s.median, 0.51);              // numpy.median(s)
  EXPECT_DOUBLE_EQ(s.p5, 0.4955);                // numpy.quantile(s, 0.05)
  EXPECT_DOUBLE_EQ(s.p95, 0.7074999999999998);   // numpy.quantile(s, 0.95)
  EXPECT_DOUBLE_EQ(s.p99, 0.8615000000000003);   // numpy.quantile(s, 0.99)
  EXPECT_EQ(s.min, 0.49);
  EXPECT_EQ(s.max, 0.90);
  EXPECT_NEAR(s.cv, 0.20812411495654823, 1e-15);  // s.std(ddof=1) / s.mean()
  // ((s[1:] - s.mean()) * (s[:-1] - s.mean())).sum() / ((s - s.mean())**2).sum()
  EXPECT_NEAR(s.lag1, -0.13886263855255643, 1e-14);
  EXPECT_DOUBLE_EQ(s.mean_rate, 153.1393568147014);  // 1000 / s.sum()
}

TEST(Summary, OfOneStepAndOfEqualSteps) {
  const Summary one = summarize(std::vector{2.0}, 10);
  EXPECT_EQ(one.mean_rate, 5);
  EXPECT_EQ(one.p99, 2);
  EXPECT_EQ(one.cv, 0);
  EXPECT_EQ(one.lag1, 0);
  EXPECT_EQ(summarize(std::vector(20, 0.1), 1).lag1, 0);
}

TEST(Summary, RefusesWhatIsNoTime) {
  EXPECT_THROW(summarize({}, 1), ValueError);
  for (const double bad : {0.0, -1.0, std::nan(""), double{INFINITY}})
    EXPECT_THROW(summarize(std::vector{1.0, bad}, 1), ValueError);
  EXPECT_THROW(quantile(std::vector{1.0}, 1.5), ValueError);
  EXPECT_THROW(quantile({}, 0.5), ValueError);
}

TEST(Spread, HoldsEveryRunAboutTheMedian) {
  EXPECT_DOUBLE_EQ(spread_of(std::vector{100.0, 103.0, 99.0}), std::log(103.0) - std::log(100.0));
  EXPECT_NEAR(spread_of(std::vector{100.0, 102.0}), std::log(1.02) / 2, 1e-15);
  EXPECT_EQ(spread_of(std::vector{3.0}), 0);
}

}  // namespace
}  // namespace vlmark::stats
