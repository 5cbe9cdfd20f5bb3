#include "src/judge/judge.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <functional>
#include <limits>

#include "src/base/error.hpp"
#include "tests/judge/record.hpp"

namespace vlmark::judge {
namespace {

using test::good_record;
using testing::HasSubstr;

TEST(Judge, AcceptsAGoodRecord) {
  const Judgement j = judge(good_record());
  EXPECT_TRUE(j.valid()) << (j.failed() ? j.failed()->item : "");
  EXPECT_FALSE(j.official);
  EXPECT_EQ(j.excluded_seconds.size(), 5U);
  EXPECT_EQ(j.step_seconds.size(), 25U);
  // From the first rank's start of step 5 to the last rank's end of step 29, whose clock is 5 ns
  // behind rank 0's and which starts 1 us later.
  EXPECT_NEAR(j.figure.seconds, 24.9 + 1005e-9, 1e-12);
  double work = 0;
  for (int i = 5; i < 30; ++i)
    for (const auto& shape : test::small_manifest().step(i)) work += double(shape.tokens());
  EXPECT_EQ(j.figure.work, work);
  EXPECT_DOUBLE_EQ(j.figure.value, work / j.figure.seconds);
  ASSERT_TRUE(j.figure.within_run);
  EXPECT_LE(j.figure.within_run->low, j.figure.value);
  EXPECT_GE(j.figure.within_run->high, j.figure.value);
}

TEST(Judge, OfOneRecordIsTheSameToTheLastBit) {
  EXPECT_EQ(result_json(judge(good_record())), result_json(judge(good_record())));
}

struct Fault {
  const char *name, *rule, *item;
  std::function<void(io::Record&)> plant;
};

io::Verification& noted(io::Record& record, std::size_t i) {
  return record.verification.at(i).value;
}

const Fault faults[] = {
    {"a smaller picture", "R4", "another size",
     [](io::Record& r) {
       recipe::Manifest manifest = test::small_manifest();
       manifest.samples[3].media[0] = {1, 4, 4};
       r.texts["plan/manifest"] = to_json(manifest);
     }},
    {"a picture more than the sample has", "R4", "another size",
     [](io::Record& r) {
       recipe::Manifest manifest = test::small_manifest();
       manifest.samples[1].pictures.push_back({56, 56});
       r.texts["plan/manifest"] = to_json(manifest);
     }},
    {"a step is missing", "R5", "steps in the record",
     [](io::Record& r) {
       r.steps.pop_back();
       for (auto& rank : r.timing) rank.pop_back();
       for (auto& rank : r.counters) rank.pop_back();
     }},
    {"one token more", "R5", "work is not the manifest's",
     [](io::Record& r) { ++r.steps[17].tokens[0]; }},
    {"a picture's patches", "R5", "work is not the manifest's",
     [](io::Record& r) { r.steps[3].tokens[static_cast<int>(io::TokenKind::patches)] /= 4; }},
    {"a step twice", "R5", "work is not the manifest's",
     [](io::Record& r) { r.steps[9].step = 8; }},
    {"one FLOP less", "R5", "FLOPs", [](io::Record& r) { --r.counters[0][29].gemm_flops[0]; }},
    {"nothing was computed", "R5", "FLOPs",
     [](io::Record& r) {
       r.counters[0][12] = {12, {}, {}, 0, 0};
     }},
    {"steps overlap", "R3", "follow each other",
     [](io::Record& r) { r.timing[1][7].start_ns = r.timing[1][6].end_ns - 1; }},
    {"time runs backwards", "R3", "follow each other",
     [](io::Record& r) { r.timing[0][29].end_ns = r.timing[0][29].start_ns; }},
    {"a clock at half speed", "R3", "system's clock",
     [](io::Record& r) { r.plan_values[3].value *= 2; }},
    {"set-up of an hour", "R6", "set-up", [](io::Record& r) { r.plan_values[0].value = 3600; }},
    {"half the learning rate", "R4", "learning rate",
     [](io::Record& r) { r.steps[6].learning_rate /= 2; }},
    {"another schedule", "R4", "learning rate",
     [](io::Record& r) {
       for (auto& step : r.steps) step.learning_rate = r.steps[9].learning_rate;
     }},
    {"a loss that its replay has not", "V1", "noted losses",
     [](io::Record& r) {
       r.plan_values.push_back({"replayed.12.loss", r.steps[12].loss * 1.001});
     }},
    {"a norm that its replay has not", "V1", "noted losses",
     [](io::Record& r) {
       r.plan_values.push_back({"replayed.7.loss", r.steps[7].loss});
       r.plan_values.push_back({"replayed.7.grad_norm", r.steps[7].grad_norm + 1e-12});
     }},
    {"NaN loss", "V5", "NaN", [](io::Record& r) { r.steps[20].loss = std::nan(""); }},
    {"infinite norm", "V5", "NaN",
     [](io::Record& r) { r.steps[2].grad_norm = std::numeric_limits<double>::infinity(); }},
    {"nothing learned", "V5", "last / first loss",
     [](io::Record& r) {
       for (auto& step : r.steps) step.loss = 6;
     }},
    {"the loss of chance", "V5", "ln(vocab)",
     [](io::Record& r) {
       r.steps[0].loss = 100;
       for (std::size_t i = 1; i < 30; ++i)
         r.steps[i].loss = std::log(double(test::small_manifest().model.vocab));
     }},
    {"a noted check beyond its limit", "V4", "check of V4",
     [](io::Record& r) { noted(r, 1).value = 1; }},
    {"a noted NaN", "V6", "check of V6", [](io::Record& r) { noted(r, 3).value = std::nan(""); }},
    {"a verdict that is not its numbers'", "V1", "verdict",
     [](io::Record& r) { noted(r, 0).passed = false; }},
    {"no replays", "V1", "was not checked",
     [](io::Record& r) { r.verification.erase(r.verification.begin()); }},
    {"no collectives", "V4", "was not checked",
     [](io::Record& r) { r.verification.erase(r.verification.begin() + 1); }},
    {"inputs that nobody looked at", "R4", "was not checked",
     [](io::Record& r) { r.verification.pop_back(); }},
};

TEST(Judge, NamesTheRuleOfEveryFault) {
  for (const Fault& fault : faults) {
    SCOPED_TRACE(fault.name);
    io::Record record = good_record();
    fault.plant(record);
    const Judgement j = judge(record);
    ASSERT_FALSE(j.valid());
    EXPECT_EQ(j.failed()->rule, fault.rule);
    EXPECT_THAT(j.failed()->item, HasSubstr(fault.item));
  }
}

TEST(Judge, AWindowShorterThanAskedForIsInvalid) {
  config::RunConfig config;
  config.train.steps = 30;
  config.window.steps = 25;
  config.window.seconds = 24;
  EXPECT_TRUE(judge(good_record(config)).valid());
  config.window.seconds = 26;
  const Judgement j = judge(good_record(config));
  ASSERT_NE(j.failed(), nullptr);
  EXPECT_EQ(j.failed()->rule, "R9");
}

TEST(Judge, AnOfficialRunIsHeldToTheRulesNumbers) {
  config::RunConfig config;
  config.train.steps = 420;
  config.train.untimed_steps = 20;
  config.window.steps = 100;
  config.window.seconds = 300;
  config.window.stationary = true;
  config.window.repetitions = 6;
  config.window.official = true;
  io::Record record = good_record(config);
  record.plan_values[1].value = 20;
  record.plan_values[3].value = 399.9;
  EXPECT_TRUE(judge(record).valid());
  EXPECT_TRUE(judge(record).official);
  // Ten untimed steps that are slower by 2 %.
  for (auto& rank : record.timing)
    for (std::size_t i = 10; i < 20; ++i) rank[i].end_ns += 18'000'000;
  ASSERT_FALSE(judge(record).valid());
  EXPECT_EQ(judge(record).failed()->item, "drift of the untimed steps");
  EXPECT_EQ(judge(record).failed()->rule, "R7");
}

TEST(Judge, RanksNotBoundAsPlannedAreAFlagOfAQuickRunAndAFaultOfAnOfficialOne) {
  io::Record record = good_record();
  record.verification.push_back({0, {"V9", "of 2 ranks, not bound as planned", 0, 2, true}});
  EXPECT_TRUE(judge(record).valid());
  const auto flagged = [&] {
    const Judgement j = judge(record);
    return std::any_of(j.flags.begin(), j.flags.end(), [](const std::string& flag) {
      return flag.starts_with("V9: 2 of 2 ranks");
    });
  };
  EXPECT_FALSE(flagged());
  noted(record, record.verification.size() - 1).value = 2;
  EXPECT_TRUE(judge(record).valid());
  EXPECT_TRUE(flagged());
  noted(record, record.verification.size() - 1) = {"V9", "of 2 ranks", 2, 0, false};
  ASSERT_FALSE(judge(record).valid());
  EXPECT_EQ(judge(record).failed()->rule, "V9");
}

TEST(Judge, ARecordWithoutEvidenceIsNone) {
  for (const char* text : {"config", "plan/manifest", "plan/layout"}) {
    io::Record record = good_record();
    record.texts.erase(text);
    EXPECT_THROW(judge(record), IoError) << text;
  }
  io::Record record = good_record();
  record.timing.pop_back();
  EXPECT_THROW(judge(record), IoError);
  record = good_record();
  record.plan_values[1].value = 30;  // no step is left for the window
  EXPECT_THROW(judge(record), IoError);
}

}  // namespace
}  // namespace vlmark::judge
