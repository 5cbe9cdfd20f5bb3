// Against SciPy 1.17.1; each comment is the call that gave the number (S = scipy.stats).
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "src/base/error.hpp"
#include "src/stats/holm.hpp"
#include "src/stats/interval.hpp"
#include "src/stats/mann_whitney.hpp"
#include "src/stats/power.hpp"
#include "src/stats/summary.hpp"
#include "src/stats/welch.hpp"

namespace vlmark::stats {
namespace {

TEST(OrderStatistics, CoverageOfTheRules) {
  // 1 - 2 * S.binom.cdf(k - 1, n, 0.5)
  EXPECT_DOUBLE_EQ(order_statistic_coverage(6, 1), 0.96875);
  EXPECT_DOUBLE_EQ(order_statistic_coverage(5, 1), 0.9375);
  EXPECT_DOUBLE_EQ(order_statistic_coverage(12, 3), 0.96142578125);
  EXPECT_NEAR(order_statistic_coverage(20, 6), 0.9586105346679688, 1e-15);
  EXPECT_THROW(order_statistic_coverage(6, 0), ValueError);
  EXPECT_THROW(order_statistic_coverage(6, 4), ValueError);
}

TEST(IntervalOverRuns, OrderStatisticsFromSixRuns) {
  const RunsInterval six = interval_over_runs(std::vector{5.0, 3.0, 4.0, 9.0, 1.0, 2.0});
  EXPECT_EQ(six.method, IntervalMethod::order_statistics);
  EXPECT_EQ(six.interval->low, 1);
  EXPECT_EQ(six.interval->high, 9);
  EXPECT_DOUBLE_EQ(six.coverage, 0.96875);
  std::vector<double> twelve(12);
  std::iota(twelve.rbegin(), twelve.rend(), 1.0);
  const RunsInterval narrow = interval_over_runs(twelve);  // k = 4 would cover 85.4 %
  EXPECT_EQ(narrow.interval->low, 3);
  EXPECT_EQ(narrow.interval->high, 10);
  EXPECT_DOUBLE_EQ(narrow.coverage, 0.96142578125);
}

TEST(IntervalOverRuns, StudentBelowSixRuns) {
  const std::vector<double> foms{5.0, 5.2, 5.1, 5.4, 4.9};
  // l = numpy.log(foms[:n]); numpy.exp(S.t.interval(0.95, n - 1, l.mean(), S.sem(l)))
  const RunsInterval five = interval_over_runs(foms);
  EXPECT_EQ(five.method, IntervalMethod::student_t_log);
  EXPECT_NEAR(five.interval->low, 4.88523052449355, 1e-12);
  EXPECT_NEAR(five.interval->high, 5.360043120496351, 1e-12);
  const RunsInterval two = interval_over_runs(std::vector{5.0, 5.2});
  EXPECT_NEAR(two.interval->low, 3.9744050478154636, 1e-11);
  EXPECT_NEAR(two.interval->high, 6.541859646210675, 1e-11);
}

TEST(IntervalOverRuns, NoneForOneRun) {
  const RunsInterval one = interval_over_runs(std::vector{5.0});
  EXPECT_EQ(one.method, IntervalMethod::none);
  EXPECT_FALSE(one.interval);
  EXPECT_THROW(interval_over_runs({}), ValueError);
  EXPECT_THROW(interval_over_runs(std::vector{1.0, 0.0}), ValueError);
  EXPECT_THROW(interval_over_runs(std::vector{1.0, std::nan("")}), ValueError);
}

// r = S.ttest_ind(log(b), log(a), equal_var=False); r.df; r.confidence_interval(0.90 or 0.95)
TEST(Welch, AgreesWithScipy) {
  const auto a = logarithms(std::vector{101.2, 99.8, 100.5, 100.9, 99.1, 100.0}),
             b = logarithms(std::vector{103.0, 102.2, 104.1, 101.9});
  const Contrast c = welch_contrast(a, b);
  EXPECT_NEAR(c.mean, 0.0251087750699579, 1e-14);
  EXPECT_NEAR(c.df, 5.542705051611121, 1e-11);
  const Difference d = welch_difference(a, b, 0.01);
  EXPECT_NEAR(d.ci90.low, 0.013837891394544471, 1e-13);
  EXPECT_NEAR(d.ci90.high, 0.03637965874537133, 1e-13);
  EXPECT_NEAR(d.ci95.low, 0.010841012957476436, 1e-13);
  EXPECT_NEAR(d.ci95.high, 0.039376537182439365, 1e-13);
  // e = 0.005714667972186615; 2 * S.t.sf((mean - delta) / e, df); S.t.sf((delta - mean) / e, df)
  EXPECT_NEAR(d.p_different, 0.04136834388338385, 1e-12);
  EXPECT_NEAR(d.p_equivalent, 0.9793158280583081, 1e-12);
  const Difference wide = welch_difference(a, b, 0.05);
  EXPECT_EQ(wide.p_different, 1);
  EXPECT_NEAR(wide.p_equivalent, 0.0028841743942971928, 1e-13);
}

TEST(Welch, SeriesWithoutAnySpread) {
  const std::vector<double> a(4, 1.0), b(4, 1.01);
  const Difference apart = welch_difference(a, b, 0.005), near = welch_difference(a, b, 0.02);
  EXPECT_EQ(apart.p_different, 0);
  EXPECT_EQ(apart.p_equivalent, 1);
  EXPECT_EQ(near.p_different, 1);
  EXPECT_EQ(near.p_equivalent, 0);
  EXPECT_THROW(welch_contrast(a, std::vector{1.0}), ValueError);
}

TEST(Welch, MeanOfContrastsPropagatesTheErrors) {
  const Contrast c = mean_contrast({{0.02, 0.003, 4}, {0.04, 0.004, 10}});
  EXPECT_DOUBLE_EQ(c.mean, 0.03);
  EXPECT_DOUBLE_EQ(c.standard_error, 0.0025);
  // v = [9e-6 / 4, 16e-6 / 4]; sum(v)**2 / (v[0]**2 / 4 + v[1]**2 / 10)
  EXPECT_NEAR(c.df, 6.25 * 6.25 / (2.25 * 2.25 / 4 + 16.0 / 10), 1e-12);
}

TEST(MannWhitney, DistributionAgreesWithScipy) {
  // S.mannwhitneyu(x, y, alternative="less", method="exact").pvalue where the statistic is u
  EXPECT_NEAR(mann_whitney_cdf(9, 9)[17], 0.019991772932949403, 1e-15);
  EXPECT_NEAR(mann_whitney_cdf(9, 9)[21], 0.04695598519127931, 1e-15);
  EXPECT_NEAR(mann_whitney_cdf(10, 12)[29], 0.021285216331655962, 1e-15);
  EXPECT_NEAR(mann_whitney_cdf(3, 4)[2], 0.11428571428571428, 1e-15);
  EXPECT_NEAR(mann_whitney_cdf(12, 10).back(), 1, 1e-13);
  // S.norm.cdf((u + 0.5 - m * n / 2) / sqrt(m * n * (m + n + 1) / 12)), m = n = 25
  EXPECT_NEAR(mann_whitney_cdf(25, 25)[210], 0.0239028976654903, 1e-14);
  EXPECT_NEAR(mann_whitney_cdf(25, 25)[250], 0.11449266855980667, 1e-14);
}

TEST(MannWhitney, AttainedTail) {
  EXPECT_NEAR(attained_tail(9, 9, 0.025), 0.019991772932949403, 1e-15);
  EXPECT_NEAR(attained_tail(9, 9, 0.05), 0.04695598519127931, 1e-15);
  EXPECT_EQ(attained_tail(25, 25, 0.025), 0.025);
}

TEST(MannWhitney, ShiftIntervalAndTests) {
  const std::vector<double> a{0.346, 0.822, 0.33, -1.303, 0.905, 0.446, -0.537, 0.581, 0.365},
      b{1.094, 0.828, 1.347, 0.064, 0.637, 0.318, 1.399, 0.84, 0.508, 0.018};
  const Difference d = mann_whitney_difference(a, b, 0.1);
  EXPECT_NEAR(d.log_ratio, 0.418, 1e-14);  // numpy.median(numpy.subtract.outer(b, a))
  // 21-th and 25-th smallest and largest of those: as many as S.mannwhitneyu(...) leaves at 5 and 10 %
  EXPECT_NEAR(d.ci95.low, -0.185, 1e-14);
  EXPECT_NEAR(d.ci95.high, 1.017, 1e-14);
  EXPECT_NEAR(d.ci90.low, -0.065, 1e-14);
  EXPECT_NEAR(d.ci90.high, 0.901, 1e-14);
  // 2 * S.mannwhitneyu(b, a + 0.1, alternative="greater", method="exact").pvalue
  EXPECT_NEAR(d.p_different, 2 * 0.1576890601658404, 1e-14);
  // max of S.mannwhitneyu(b, a - 0.1, "greater") and S.mannwhitneyu(b, a + 0.1, "less")
  EXPECT_NEAR(d.p_equivalent, 0.8612440191387559, 1e-14);
  EXPECT_NEAR(mann_whitney_difference(a, b, 2.0).p_equivalent, 0.00020567667626491154, 1e-16);
}

TEST(Holm, CorrectsInAscendingOrder) {
  // statsmodels.stats.multitest.multipletests(p, method="holm")
  const auto corrected = holm(std::vector{0.01, 0.04, 0.03, 0.005});
  EXPECT_DOUBLE_EQ(corrected[0], 0.03);
  EXPECT_DOUBLE_EQ(corrected[1], 0.06);
  EXPECT_DOUBLE_EQ(corrected[2], 0.06);
  EXPECT_DOUBLE_EQ(corrected[3], 0.02);
  EXPECT_EQ(holm(std::vector{0.7, 0.6})[0], 1);
  EXPECT_TRUE(holm({}).empty());
}

/// Of a fixed noise floor.
PlannedComparison plan(double effect, double deviation, double delta) {
  return {.effect = effect, .deviation = deviation, .delta = delta};
}

TEST(Power, NoncentralTAgreesWithScipy) {
  // w = n if n < 9 else n * 3 / pi; df = 2 * w - 2; e = s * sqrt(2 / w)
  // S.nct.sf(S.t.ppf(0.975, df), df, (abs(d) - delta) / e); from n = 9 on the tail is the one attained
  // below 0.025 and 0.05 (n = 12: 0.02245099764954389 and 0.04436689303427761)
  EXPECT_NEAR(power_of_difference(plan(0.02, 0.01, 0.005), 6), 0.6495744166189156, 1e-10);
  EXPECT_NEAR(power_of_difference(plan(0.02, 0.01, 0.005), 3), 0.29293453858705715, 1e-10);
  EXPECT_NEAR(power_of_difference(plan(0.02, 0.01, 0.005), 12), 0.9204217099590534, 1e-10);
  EXPECT_NEAR(power_of_difference(plan(-0.03, 0.01, 0.01), 8), 0.96022076735553, 1e-10);
  // t = S.t.ppf(0.95, df); S.nct.sf(t, df, (d + delta) / e) + S.nct.cdf(-t, df, (d - delta) / e) - 1
  EXPECT_NEAR(power_of_equivalence(plan(0.001, 0.003, 0.005), 6), 0.6350394366349981, 1e-10);
  EXPECT_NEAR(power_of_equivalence(plan(0, 0.003, 0.005), 12), 0.9679952006967447, 1e-10);
  EXPECT_NEAR(power_of_equivalence(plan(-0.002, 0.004, 0.01), 5), 0.8876210801385236, 1e-10);
}

TEST(Power, RunsNeededAreTheFewest) {
  const PlannedComparison p = plan(0.02, 0.01, 0.005);
  const auto needed = runs_needed(p, true, 0.8);
  ASSERT_TRUE(needed);
  EXPECT_GE(power_of_difference(p, *needed), 0.8);
  EXPECT_LT(power_of_difference(p, *needed - 1), 0.8);
  EXPECT_GT(runs_needed(p, true, 0.9), needed);
  EXPECT_EQ(runs_needed(p, true, 0.8, 20), 20);
  for (const bool different : {false, true})  // on the margin no number helps
    EXPECT_FALSE(runs_needed(plan(0.005, 0.01, 0.005), different, 0.8));
}

TEST(Power, ExtremesAreNumbers) {
  for (const double deviation : {0.0, 1e-9, 1e-4, 0.5})
    for (const double effect : {-2.0, -0.005, 0.0, 0.02, 5.0})
      for (const bool from_series : {false, true})
        for (const int n : {3, 9, 1000}) {
          PlannedComparison p = plan(effect, deviation, 0.005);
          p.from_series = from_series;
          for (const double power : {power_of_difference(p, n), power_of_equivalence(p, n)}) {
            EXPECT_GE(power, 0) << deviation << " " << effect << " " << n;
            EXPECT_LE(power, 1) << deviation << " " << effect << " " << n;
          }
        }
}

TEST(Power, NoVerdictBelowTheGate) {
  PlannedComparison p = plan(0.05, 0.03, 0.005);
  EXPECT_TRUE(runs_needed(p, true, 0.8));
  p.gate = 0.09;
  EXPECT_FALSE(runs_needed(p, true, 0.8));
  EXPECT_FALSE(runs_needed(p, false, 0.8));
}

}  // namespace
}  // namespace vlmark::stats
