#include "src/report/page.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/report/record_view.hpp"

namespace vlmark::report {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string hostile = "\"'><script>alert(1)</script>&\x01\xff";

io::Record record_of(int ranks, int steps) {
  io::Record record;
  record.ranks = ranks;
  record.rules_version = "1.0";
  record.header.action_kinds = {"forward", hostile};
  record.header.lanes = {hostile};
  record.texts = {{"config", "[data]  # x\nfolder = \"" + hostile + "  # y\"  # pictures\n"},
                  {"provenance/" + hostile, hostile}};
  record.plan_values = {{"memory." + hostile, 1e6}, {"window.untimed_steps", 1}};
  for (int r = 0; r < ranks; ++r) {
    auto& timing = record.timing.emplace_back();
    auto& counters = record.counters.emplace_back();
    for (int s = 0; s < steps; ++s) {
      timing.push_back({s, s * 10'000'000, s * 10'000'000 + 8'000'000, {}});
      timing.back().phase_ns[static_cast<int>(io::Phase::vit)] = 2'000'000;
      counters.push_back({});
      counters.back().gemm_flops[static_cast<int>(Part::vit)] = 4'000'000;
    }
    record.clocks.push_back({});
    record.memory.push_back({{hostile, 2000, 1000}});
    record.actions.push_back({r, {0, 1, 0, 2, -1, 0, 5'000'000}});
  }
  for (int s = 0; s < steps; ++s) record.steps.push_back({.step = s});
  record.verification = {{0, {"V9", hostile, 2, 1, false}}};
  return record;
}

ShownRun shown(const io::Record& record) {
  ShownRun run{.name = hostile, .standing = Standing::invalid, .reason = hostile};
  run.warnings = run.flags = {hostile};
  run.facts = {{hostile, hostile, hostile, {}, Unit::none, ""},
               {"g", "l", "", 3, Unit::none, hostile}};
  run.fom = {hostile, hostile, 1, true, std::nullopt};
  show_record(record, run);
  return run;
}

TEST(RecordView, TakesWhatTheRecordHolds) {
  const ShownRun run = shown(record_of(2, 3));
  ASSERT_EQ(run.ranks.size(), 2U);
  EXPECT_EQ(run.ranks[1].seconds.size(), 3U);
  EXPECT_NEAR(run.ranks[1].seconds[2], 8e-3, 1e-12);
  EXPECT_EQ(run.untimed, 1);
  ASSERT_EQ(run.rates.size(), 1U);
  EXPECT_EQ(run.rates[0].part, "vit");
  EXPECT_NEAR(run.rates[0].flops, 4 * 4e6, 1);  // two ranks, two steps of the window
  EXPECT_NEAR(run.rates[0].seconds, 4 * 2e-3, 1e-12);
  EXPECT_FALSE(run.rates[0].bytes);
  EXPECT_FALSE(run.machine.flops_per_second);
  EXPECT_EQ(run.trace.bars.size(), 2U);
  EXPECT_EQ(run.memory[1].measured, 1000);
}

TEST(RecordView, TakesBytesAndRatesOfTheMachineWhereTheyWereMeasured) {
  io::Record record = record_of(2, 3);
  record.plan_values.push_back({"bytes.vit", 100});
  record.plan_values.push_back({"machine.flops_per_s", 8e10});
  record.plan_values.push_back({"machine.bytes_per_s", 2e10});
  const ShownRun run = shown(record);
  EXPECT_EQ(run.rates[0].bytes, 200);  // of two steps
  EXPECT_EQ(run.machine.flops_per_second, 8e10);
  const std::string page = report_page({{run}, {}});
  EXPECT_THAT(page, HasSubstr("class=\"roof\""));
  EXPECT_THAT(page, Not(HasSubstr("No roofline")));
}

TEST(RecordView, OutlivesWhatDoesNotFit) {
  io::Record record = record_of(2, 3);
  record.timing[1].pop_back();  // a rank that was killed in its third step
  record.counters[1].clear();
  record.actions.push_back({7, {0, 9, 9, -1, -1, 0, 1}});  // no such rank, kind, lane
  record.plan_values.push_back({"window.untimed_steps", -5});
  const ShownRun run = shown(record);
  EXPECT_EQ(run.ranks[1].seconds.size(), 2U);
  EXPECT_EQ(run.trace.bars.size(), 2U);
  EXPECT_THAT(report_page({{run}, {}}), HasSubstr("not ended"));
}

TEST(RecordView, ReadsTheEchoOfAConfiguration) {
  const auto keys = config_keys("[a]  # t\nx = 1  # one\ns = \"b  # c\"  # two\n\n[d]\ny = true\n");
  EXPECT_EQ(keys, (std::map<std::string, std::string>{
                      {"a.x", "1"}, {"a.s", "\"b  # c\""}, {"d.y", "true"}}));
}

TEST(Page, EscapesEveryTextOfARecord) {
  const ShownRun run = shown(record_of(2, 3));
  ShownSeries series{.name = hostile, .runs = {0, 1}, .problem = hostile, .median = 1};
  series.facts = {{"", hostile, hostile, {}, Unit::none, ""}};
  const Report report{{run, run}, {series}};
  const std::string page = report_page(report);
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("\x01")));
  EXPECT_THAT(page, Not(HasSubstr("\xff")));
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(1)&lt;/script&gt;"));
  const std::vector<FigureFile> files = report_figures(report);
  EXPECT_GE(files.size(), 10U);
  for (const FigureFile& file : files) {
    EXPECT_EQ(file.name.find_first_not_of(
                  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."),
              std::string::npos)
        << file.name;
    EXPECT_THAT(file.svg, Not(HasSubstr("<script")));
    EXPECT_THAT(file.svg, Not(HasSubstr("\x01")));
  }
}

TEST(Page, LoadsNothing) {
  const std::string page = report_page({{shown(record_of(1, 2))}, {}});
  for (const char* word : {"http:", "https:", "src=", "url(", "@import", "<link", "<iframe"})
    EXPECT_THAT(page, Not(HasSubstr(word)));
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
}

TEST(Page, SaysWhatIsNotThere) {
  ShownRun run{.name = "nothing", .standing = Standing::empty, .reason = "It left nothing."};
  const std::string page = report_page({{run}, {}});
  for (const char* text :
       {"FAILED", "It left nothing.", "No step times", "No trace", "No memory", "No roofline"})
    EXPECT_THAT(page, HasSubstr(text));
}

}  // namespace
}  // namespace vlmark::report
