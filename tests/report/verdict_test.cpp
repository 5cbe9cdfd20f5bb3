#include "src/report/verdict.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace vlmark::report {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

const Claim claim{.value = 1934.56,
                  .model = "nano",
                  .precision = "fp32",
                  .instruction_set = "avx2",
                  .ranks = 2,
                  .steps = 150,
                  .untimed_steps = 5};

std::vector<io::Verification> good_run() {
  std::vector<io::Verification> checks{collective_check("all_reduce fp32", 1000, 0)};
  for (const auto& check : loss_checks({6, 3, 1, 0.5, 0.2, 0.1, 0.1, 0.1}, {1, 1}, 0, 544, 0.1))
    checks.push_back(check);
  checks.push_back(replica_check("hash of parameters", 2, 0));
  return checks;
}

/// The one loss check whose item begins so.
io::Verification find(const std::vector<io::Verification>& checks, std::string_view item) {
  for (const auto& check : checks)
    if (check.item.starts_with(item)) return check;
  ADD_FAILURE() << "no check is called " << item;
  return {};
}

TEST(ResultLine, OfAValidRun) {
  EXPECT_EQ(result_line(good_run(), claim),
            "VLMARK RESULT VALID official=no checked=V4,V5,V6 fom=train.positions_per_s "
            "value=1935 steps=150 untimed=5 model=nano prec=fp32 ranks=2 isa=avx2 rules=1.0");
}

TEST(ResultLine, OfAnInvalidRunNamesTheFirstFailedRule) {
  auto checks = good_run();
  checks[2].passed = false;  // loss ratio
  checks[2].value = 0.75;
  checks.back().passed = false;
  EXPECT_FALSE(valid(checks));
  EXPECT_EQ(result_line(checks, claim),
            "VLMARK RESULT INVALID rule=V5 detail=\"last / first loss 0.75 limit 0.1\" official=no "
            "checked=V4,V5,V6 fom=train.positions_per_s value=1935 steps=150 untimed=5 model=nano "
            "prec=fp32 ranks=2 isa=avx2 rules=1.0");
}

TEST(ResultLine, NothingCheckedIsNotValid) {
  EXPECT_FALSE(valid({}));
  EXPECT_THAT(result_line({}, claim), testing::StartsWith("VLMARK RESULT INVALID rule=none "));
}

TEST(ResultLine, NamesOnlyTheRulesThatWereChecked) {
  EXPECT_THAT(result_line({replica_check("hash of parameters", 2, 0)}, claim),
              testing::HasSubstr("VALID official=no checked=V6 fom="));
}

TEST(ResultLine, EveryFailedCheckAloneMakesTheRunInvalid) {
  EXPECT_TRUE(valid(good_run()));
  for (std::size_t i = 0; i < good_run().size(); ++i) {
    auto checks = good_run();
    checks[i].passed = false;
    EXPECT_FALSE(valid(checks));
    EXPECT_THAT(result_line(checks, claim),
                testing::StartsWith("VLMARK RESULT INVALID rule=" + checks[i].rule + " detail=\""));
  }
}

TEST(CollectiveCheck, OneWrongElementFails) {
  EXPECT_EQ(collective_check("broadcast i64", 77, 0),
            (io::Verification{"V4", "broadcast i64, 77 elements: wrong", 0, 0, true}));
  EXPECT_FALSE(collective_check("broadcast i64", 77, 1).passed);
}

TEST(ReplicaCheck, OneDifferentReplicaFails) {
  EXPECT_EQ(replica_check("hash of parameters", 4, 0),
            (io::Verification{"V6", "hash of parameters: replicas of 4 that differ", 0, 0, true}));
  EXPECT_FALSE(replica_check("hash of parameters", 4, 1).passed);
}

TEST(LossChecks, AFallingLossPasses) {
  for (const auto& check : loss_checks({6.3, 4, 2, 1, 0.5, 0.1}, {1}, 0, 544, 0.5))
    EXPECT_TRUE(check.passed) << check.item;
}

TEST(LossChecks, NaNAndInfinityFailWhereverTheyStand) {
  const std::vector<double> losses{6, 3, 1, 0.5, 0.2, 0.1, 0.1}, norms{5, 4, 3};
  EXPECT_EQ(find(loss_checks(losses, norms, 0, 544, 0.5), "NaN").value, 0);
  for (const double bad : {nan, infinity, -infinity}) {
    for (std::size_t i = 0; i < losses.size(); ++i) {
      auto with = losses;
      with[i] = bad;
      EXPECT_FALSE(valid(loss_checks(with, norms, 0, 544, 0.5))) << bad << " at " << i;
      EXPECT_FALSE(find(loss_checks(with, norms, 0, 544, 0.5), "NaN").passed);
    }
    for (std::size_t i = 0; i < norms.size(); ++i) {
      auto with = norms;
      with[i] = bad;
      EXPECT_FALSE(find(loss_checks(losses, with, 0, 544, 0.5), "NaN").passed);
    }
  }
  const auto parameters = find(loss_checks(losses, norms, 3, 544, 0.5), "NaN");
  EXPECT_FALSE(parameters.passed);
  EXPECT_EQ(parameters.value, 3);
}

TEST(LossChecks, ALossOfNaNAtTheEndAlsoFailsTheRatio) {
  EXPECT_FALSE(find(loss_checks({6, nan}, {1}, 0, 544, 0.5), "last / first").passed);
}

TEST(LossChecks, TakesTheMeanOfTheLastFive) {
  const auto ratio = find(loss_checks({10, 9, 1, 2, 3, 4, 5}, {1}, 0, 544, 0.5), "last / first");
  EXPECT_DOUBLE_EQ(ratio.value, 0.3);
  EXPECT_EQ(ratio.limit, 0.5);
  EXPECT_TRUE(ratio.passed);
  // Fewer than five: of all.
  EXPECT_DOUBLE_EQ(find(loss_checks({4, 2}, {1}, 0, 544, 0.5), "last / first").value, 0.75);
  EXPECT_DOUBLE_EQ(find(loss_checks({4}, {1}, 0, 544, 0.5), "last / first").value, 1);
}

TEST(LossChecks, ALossThatDoesNotFallFails) {
  EXPECT_FALSE(valid(loss_checks({5, 5, 5, 5, 5, 5}, {1}, 0, 544, 0.5)));
  EXPECT_FALSE(valid(loss_checks({5, 6, 7, 8, 9, 10}, {1}, 0, 544, 1.0)));
  // At the limit is not below it.
  EXPECT_FALSE(valid(loss_checks({4, 2, 2, 2, 2, 2}, {1}, 0, 544, 0.5)));
}

TEST(LossChecks, ALossOfLnVocabHasLearnedNothing) {
  const double chance = std::log(544.0);
  for (const double end : {chance, chance * 1.0005, chance * 0.9995}) {
    const auto check =
        find(loss_checks({100, end, end, end, end, end}, {1}, 0, 544, 0.5), "relative distance");
    EXPECT_FALSE(check.passed) << end;
  }
  for (const double end : {chance * 1.01, chance * 0.99})
    EXPECT_TRUE(valid(loss_checks({100, end, end, end, end, end}, {1}, 0, 544, 0.5))) << end;
}

TEST(LossChecks, ARunWithoutStepsHasNoRatio) {
  const auto checks = loss_checks({}, {}, 0, 544, 0.5);
  ASSERT_EQ(checks.size(), 1u);
  EXPECT_TRUE(checks[0].passed);
}

}  // namespace
}  // namespace vlmark::report
