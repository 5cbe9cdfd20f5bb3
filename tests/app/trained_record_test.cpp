// The record of the run that tests/app/train_test.py made: three steps of nano over two ranks.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>

#include "src/config/run_config.hpp"
#include "src/io/record.hpp"

namespace vlmark::io {
namespace {

const Record& record() {
  static const Record of_run = read_record(std::getenv("VLMARK_TRAINED"));
  return of_run;
}

TEST(TrainedRecord, HasEveryStep) {
  ASSERT_EQ(record().steps.size(), 3u);
  EXPECT_EQ(record().ranks, 2);
  for (std::size_t i = 0; i < 3; ++i) {
    const StepScalars& step = record().steps[i];
    EXPECT_EQ(step.step, static_cast<std::int64_t>(i));
    EXPECT_TRUE(std::isfinite(step.loss));
    EXPECT_GT(step.loss, 0);
    EXPECT_GT(step.grad_norm, 0);
    EXPECT_GT(step.learning_rate, 0);
    for (const std::int64_t tokens : step.tokens) EXPECT_GT(tokens, 0);
    EXPECT_EQ(step.tokens[static_cast<int>(TokenKind::pictures)], 8);
    EXPECT_EQ(step.tokens[static_cast<int>(TokenKind::documents)], 8);
    EXPECT_EQ(step.tokens[static_cast<int>(TokenKind::patches)],
              4 * step.tokens[static_cast<int>(TokenKind::vision)]);
  }
  // ln(544) = 6.30: what random weights give; then it falls.
  EXPECT_NEAR(record().steps[0].loss, std::log(544.0), 0.3);
  EXPECT_LT(record().steps[2].loss, record().steps[0].loss);
}

TEST(TrainedRecord, TimesOfEveryRankFillItsSteps) {
  ASSERT_EQ(record().timing.size(), 2u);
  for (const auto& steps : record().timing) {
    ASSERT_EQ(steps.size(), 3u);
    for (const StepTiming& step : steps) {
      EXPECT_GT(step.end_ns, step.start_ns);
      std::int64_t sum = 0;
      for (const std::int64_t ns : step.phase_ns) {
        EXPECT_GE(ns, 0);
        sum += ns;
      }
      for (const Phase phase :
           {Phase::load, Phase::vit, Phase::merger, Phase::decoder, Phase::head, Phase::optimizer})
        EXPECT_GT(step.phase_ns[static_cast<int>(phase)], 0) << name_of(phase);
      EXPECT_LE(sum, step.end_ns - step.start_ns);
    }
  }
}

TEST(TrainedRecord, CountersHoldTheFlopsOfThePlan) {
  ASSERT_EQ(record().counters.size(), 2u);
  double planned = -1;
  for (const PlanValue& value : record().plan_values)
    if (value.name == "flops") planned = value.value;
  // The plan is that of rank 0 over all its steps.
  double counted = 0;
  for (const StepCounters& step : record().counters[0]) {
    EXPECT_GT(step.sent_bytes, 0u);
    EXPECT_GT(step.messages, 0u);
    for (const auto& flops : {step.gemm_flops, step.attention_flops})
      for (int part = 0; part < kParts; ++part) counted += static_cast<double>(flops[part]);
  }
  EXPECT_EQ(counted, planned);
}

TEST(TrainedRecord, NamesTheKernelOfEveryGemmShapeAndNoneIsAReference) {
  ASSERT_FALSE(record().kernels.empty());
  std::set<int> gemms;  // ranks that multiplied
  for (const auto& [rank, use] : record().kernels) {
    EXPECT_THAT(use.shape, testing::MatchesRegex("gemm [nt][nt] [a-z0-9-]+ [0-9]+x[0-9]+x[0-9]+|"
                                                 "attention (forward|backward) .+"));
    if (use.shape.starts_with("gemm")) gemms.insert(rank);
    EXPECT_GT(use.count, 0u);
    EXPECT_FALSE(use.kernel.empty());
    EXPECT_THAT(use.kernel, testing::Not(testing::HasSubstr("reference"))) << use.shape;
  }
  EXPECT_EQ(gemms, (std::set<int>{0, 1}));
}

TEST(TrainedRecord, EchoesTheRunDescription) {
  const config::RunConfig echoed = config::parse(record().texts.at("config"), "echo");
  EXPECT_EQ(echoed.train.steps, 3);
  EXPECT_EQ(echoed.model.preset, "nano");
  EXPECT_EQ(echoed.verify.loss_ratio_limit, 1);
  // Whole: no key is left to a default that may change.
  for (const std::string& key : config::known_keys())
    EXPECT_THAT(record().texts.at("config"), testing::HasSubstr(key.substr(key.find('.') + 1)));
  EXPECT_EQ(record().texts.at("provenance/ranks"), "2");
  EXPECT_THAT(record().texts.at("provenance/placement"),
              testing::ContainsRegex("^rank 0 launched 0 host [^ ]+ package .+\nrank 1 launched 1 "
                                     "host [^ ]+ package .+ topology (complete|partial)"));
  EXPECT_THAT(record().texts.at("topology"),
              testing::AnyOf(testing::HasSubstr("<topology"), testing::StartsWith("absent: ")));
  EXPECT_EQ(record().header.kind, "measured");
  EXPECT_LT(record().header.start_utc, record().header.end_utc);
}

TEST(TrainedRecord, HasAPassedRowOfEveryRule) {
  std::set<std::string> rules, items;
  for (const auto& [rank, check] : record().verification) {
    rules.insert(check.rule);
    EXPECT_TRUE(items.insert(check.item).second) << "twice: " << check.item;
    EXPECT_TRUE(check.passed) << check.item;
    EXPECT_EQ(rank, 0);
  }
  EXPECT_EQ(rules, (std::set<std::string>{"R4", "V1", "V2", "V3", "V4", "V5", "V6", "V7", "V9"}));
}

TEST(TrainedRecord, TracesTheFirstTwoSteps) {
  ASSERT_FALSE(record().actions.empty());
  std::set<std::pair<int, std::int64_t>> seen;
  for (const auto& [rank, action] : record().actions) {
    seen.insert({rank, action.step});
    EXPECT_LE(action.start_ns, action.end_ns);
  }
  EXPECT_EQ(seen, (std::set<std::pair<int, std::int64_t>>{{0, 0}, {0, 1}, {1, 0}, {1, 1}}));
}

/// The resident set grows by what was planned: within 5 % or 48 MB.
TEST(TrainedRecord, MemoryIsAsPlanned) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "AddressSanitizer's own memory is not planned";
#endif
  ASSERT_EQ(record().memory.size(), 2u);
  for (const auto& categories : record().memory) {
    ASSERT_EQ(categories.size(), 2u);
    const MemoryPeak &total = categories[0], &whole = categories[1];
    EXPECT_EQ(total.category, "total");
    EXPECT_EQ(whole.category, "total, with verification");
    EXPECT_EQ(whole.planned_bytes, total.planned_bytes);
    EXPECT_GE(whole.measured_bytes, total.measured_bytes);  // a peak never falls
    EXPECT_GT(total.planned_bytes, 0);
    const double difference =
        std::abs(static_cast<double>(total.measured_bytes - total.planned_bytes));
    EXPECT_LE(difference, std::max(0.05 * static_cast<double>(total.planned_bytes), 48e6))
        << "planned " << total.planned_bytes << ", measured " << total.measured_bytes;
    RecordProperty("planned_bytes", std::to_string(total.planned_bytes));
    RecordProperty("measured_bytes", std::to_string(total.measured_bytes));
  }
}

}  // namespace
}  // namespace vlmark::io
