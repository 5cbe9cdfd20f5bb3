#include "src/stats/comparison.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "src/base/error.hpp"

namespace vlmark::stats {
namespace {

using Foms = std::vector<double>;

/// n values of that mean, evenly spread over +- half.
Foms around(double mean, double half, int n) {
  Foms foms;
  for (int i = 0; i < n; ++i) foms.push_back(mean * (1 + half * (2.0 * i / (n - 1) - 1)));
  return foms;
}

Comparison one(const Pair& pair) { return compare({pair}).front(); }
Pair pair_of(Foms a, Foms b) { return {.a = {std::move(a)}, .b = {std::move(b)}}; }

TEST(Compare, VerdictsOfClearCases) {
  for (const int n : {3, 6, 8, 9, 12}) {
    const Foms a = around(100, 0.002, n);
    EXPECT_EQ(one(pair_of(a, around(100.05, 0.002, n))).verdict, Verdict::equivalent) << n;
    EXPECT_EQ(one(pair_of(a, around(103, 0.002, n))).verdict, Verdict::faster) << n;
    EXPECT_EQ(one(pair_of(a, around(97, 0.002, n))).verdict, Verdict::slower) << n;
    EXPECT_EQ(one(pair_of(a, around(100.6, 0.002, n))).verdict, Verdict::inconclusive) << n;
  }
}

TEST(Compare, LowerIsBetterTurnsTheVerdict) {
  Pair pair = pair_of(around(100, 0.002, 6), around(97, 0.002, 6));
  pair.higher_is_better = false;
  const Comparison c = one(pair);
  EXPECT_EQ(c.verdict, Verdict::faster);
  EXPECT_NEAR(c.difference.log_ratio, std::log(100 / 97.0), 1e-6);
}

TEST(Compare, MethodFollowsTheShorterSeries) {
  EXPECT_EQ(one(pair_of(around(1, 0.01, 2), around(1, 0.01, 20))).method, Method::too_few_runs);
  EXPECT_EQ(one(pair_of(around(1, 0.01, 3), around(1, 0.01, 20))).method, Method::welch);
  EXPECT_EQ(one(pair_of(around(1, 0.01, 8), around(1, 0.01, 9))).method, Method::welch);
  EXPECT_EQ(one(pair_of(around(1, 0.01, 9), around(1, 0.01, 9))).method, Method::mann_whitney);
}

TEST(Compare, NoiseFloorIsTheLargestSpread) {
  Pair pair = pair_of(around(100, 0.001, 7), around(100, 0.008, 7));
  Comparison c = one(pair);
  EXPECT_EQ(c.noise, NoiseSource::series_b);
  EXPECT_NEAR(c.delta, -std::log(0.992), 1e-14);
  pair.noise = {around(50, 0.01, 5), around(70, 0.001, 5)};  // measured: it alone decides
  c = one(pair);
  EXPECT_EQ(c.noise, NoiseSource::measured);
  EXPECT_NEAR(c.delta, -std::log(0.99), 1e-14);
  pair.noise = {around(50, 0.001, 4)};
  c = one(pair);
  EXPECT_EQ(c.noise, NoiseSource::least);
  EXPECT_NEAR(c.delta, std::log(1.005), 1e-15);
}

TEST(Compare, NoisyRunsGiveNoVerdictBelowTheGate) {
  // CV 2.2 %: nothing below 6.8 % may be said, though 6 % lies far beyond the noise floor.
  Pair pair = pair_of(around(100, 0.03, 6), around(106, 0.03, 6));
  pair.noise = {around(100, 0.002, 6)};
  Comparison c = one(pair);
  EXPECT_NEAR(c.gate, std::log1p(3.04 * c.cv), 1e-15);
  EXPECT_EQ(c.verdict, Verdict::inconclusive);
  EXPECT_TRUE(c.gated);
  EXPECT_FALSE(runs_needed(c, pair, 1, 0.8));
  pair.b = {around(120, 0.03, 6)};
  EXPECT_EQ(one(pair).verdict, Verdict::faster);
  // Equivalence is a verdict about the noise floor.
  pair = pair_of(around(100, 0.04, 12), around(100.1, 0.04, 12));
  pair.noise = {around(100, 0.03, 6)};
  c = one(pair);
  EXPECT_EQ(c.verdict, Verdict::inconclusive);
  EXPECT_TRUE(c.gated);
}

TEST(Compare, FlagOfARunClosesTheGateToo) {
  Pair pair = pair_of(around(100, 0.004, 6), around(101.5, 0.004, 6));
  pair.noise = {around(100, 0.001, 6)};
  EXPECT_EQ(one(pair).verdict, Verdict::faster);
  EXPECT_EQ(one(pair).gate, 0);
  pair.b.noisy = true;
  EXPECT_GT(one(pair).gate, 0);
}

TEST(Compare, OneRunOnASideSaysNothing) {
  Pair pair = pair_of({100}, {150});
  EXPECT_EQ(one(pair).verdict, Verdict::inconclusive);
  EXPECT_FALSE(runs_needed(one(pair), pair, 1, 0.8));
  pair.noise = {around(100, 0.01, 6)};  // the spread of a run is known from there
  EXPECT_EQ(one(pair).verdict, Verdict::inconclusive);
  const auto needed = runs_needed(one(pair), pair, 1, 0.8);
  EXPECT_EQ(needed, 3);
  EXPECT_THROW(one(pair_of({}, {1})), ValueError);
  EXPECT_THROW(one(pair_of({1, -1}, {1})), ValueError);
}

TEST(Compare, HolmTakesBackWhatOneOfManyShows) {
  // p_different of the first pair lies between 0.05 / 2 and 0.05.
  const Pair weak = pair_of(around(100, 0.002, 3), around(101.05, 0.002, 3)),
             open = pair_of(around(100, 0.002, 3), around(100.6, 0.002, 3));
  const Comparison alone = one(weak);
  EXPECT_EQ(alone.verdict, Verdict::faster);
  EXPECT_GT(alone.difference.p_different, 0.025);
  const auto both = compare({weak, open});
  EXPECT_EQ(both[0].verdict, Verdict::inconclusive);
  EXPECT_DOUBLE_EQ(both[0].corrected_different, 2 * alone.difference.p_different);
}

TEST(Compare, GeometricMeanOfRatios) {
  const auto all = compare({pair_of(around(100, 0.002, 6), around(103, 0.002, 6)),
                            pair_of(around(10, 0.002, 6), around(9.9, 0.002, 6))});
  const auto mean = geometric_mean(all);
  ASSERT_TRUE(mean);
  EXPECT_NEAR(mean->log_ratio, 0.5 * std::log(1.03 * 0.99), 1e-9);
  EXPECT_LT(mean->ci95.low, mean->log_ratio);
  EXPECT_FALSE(geometric_mean(compare({pair_of({1}, {2})})));
}

}  // namespace
}  // namespace vlmark::stats
