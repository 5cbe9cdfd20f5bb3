#include "src/report/figures.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "src/report/drawing.hpp"
#include "src/report/run_numbers.hpp"
#include "src/report/style.hpp"

namespace vlmark::report {
namespace {

using testing::HasSubstr;
using testing::Not;

int count(const std::string& text, const std::string& word) {
  int found = 0;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1))
    ++found;
  return found;
}

/// Rank r takes 1 + r / 10 s in every step, 0.5 s of it in "vit" and 0.25 s in "<head>".
ShownRun run_of(int ranks, int steps, int untimed) {
  ShownRun run{.name = "a <run>"};
  run.phases = {"vit", "<head>", "load"};
  for (int r = 0; r < ranks; ++r) {
    RankSteps& rank = run.ranks.emplace_back();
    rank.rank = r;
    for (int s = 0; s < steps; ++s) {
      rank.step.push_back(s);
      rank.seconds.push_back(1 + 0.1 * r);
      rank.phases.push_back({0.5, 0.25, 0});
    }
  }
  run.untimed = untimed;
  return run;
}

TEST(StepTimes, AMarkForEverySample) {
  for (const auto& [ranks, steps] : {std::pair{1, 1}, {2, 20}, {3, 7}, {40, 5}}) {
    const std::string svg = step_times_figure(run_of(ranks, steps, 2), {}, kWide);
    EXPECT_EQ(count(svg, "h0"), ranks * steps) << ranks << " ranks, " << steps << " steps";
  }
  // Ranks of a run that did not end have different numbers of steps.
  ShownRun run = run_of(2, 6, 0);
  run.ranks[1].seconds.resize(4);
  EXPECT_EQ(count(step_times_figure(run, {}, kNarrow), "h0"), 10);
}

TEST(StepTimes, TellsTheUntimedFromTheWindow) {
  EXPECT_THAT(step_times_figure(run_of(2, 20, 5), {}, kWide), HasSubstr(">untimed</text>"));
  EXPECT_THAT(step_times_figure(run_of(2, 20, 1), {}, kWide),
              HasSubstr(">untimed | window</text>"));
  EXPECT_THAT(step_times_figure(run_of(2, 20, 0), {}, kWide), Not(HasSubstr("untimed")));
}

TEST(StepTimes, OfManyRanksNamesTheSlowest) {
  EXPECT_THAT(step_times_figure(run_of(8, 3, 0), {}, kWide), HasSubstr(">rank 7</text>"));
  EXPECT_THAT(step_times_figure(run_of(9, 3, 0), {}, kWide),
              testing::AllOf(HasSubstr(">rank 8, the slowest</text>"),
                             HasSubstr(">the other 8 ranks</text>")));
}

TEST(StepTimes, OfVeryManyStayAFileThatOpens) {
  const std::string svg = step_times_figure(run_of(300, 1000, 0), {}, kWide);
  EXPECT_LE(count(svg, "h0"), 41'000);
  EXPECT_THAT(svg, HasSubstr(">40 of the other 299</text>"));
}

TEST(Evenly, HoldsTheFirstAndTheOneAskedFor) {
  EXPECT_EQ(evenly(3, 5, 2), (std::vector<std::size_t>{0, 1, 2}));
  EXPECT_EQ(evenly(10, 5, 7), (std::vector<std::size_t>{0, 2, 4, 6, 7}));
  EXPECT_TRUE(evenly(0, 5, 0).empty());
  for (const std::size_t always : {0U, 1U, 77U, 99U}) {
    const auto chosen = evenly(100, 7, always);
    EXPECT_LE(chosen.size(), 8U);
    EXPECT_THAT(chosen, testing::Contains(always));
    EXPECT_THAT(chosen, testing::Contains(0U));
  }
}

TEST(Phases, DivideTheMeanStep) {
  const ShownRun run = run_of(2, 4, 1);
  const auto means = mean_phases(run);
  ASSERT_EQ(means.size(), 2U);
  EXPECT_NEAR(means[1][0], 0.5, 1e-12);
  EXPECT_NEAR(means[1][3], 1.1 - 0.75, 1e-12);  // other
  const std::string svg = phases_figure(run, {}, kWide);
  EXPECT_EQ(count(svg, "class=\"bar"), 2 * 3);  // load takes no time
  EXPECT_THAT(svg, HasSubstr("<title>rank 1, &lt;head&gt;: 250 ms</title>"));
  EXPECT_THAT(svg, Not(HasSubstr("load")));
}

TEST(Phases, OfManyRanksShowTheSlowest) {
  ShownRun run = run_of(200, 2, 0);
  for (double& seconds : run.ranks[77].seconds) seconds = 99;
  const std::string svg = phases_figure(run, {}, kWide);
  EXPECT_LE(count(svg, ">rank "), 2 * (49 * 3 + 49));
  EXPECT_THAT(svg, HasSubstr(">rank 77</text>"));
  EXPECT_THAT(svg, HasSubstr(">rank 0</text>"));
}

TEST(Means, LeaveOutTheUntimedSteps) {
  ShownRun run = run_of(1, 4, 2);
  run.ranks[0].seconds = {100, 100, 1, 3};
  EXPECT_EQ(averaged_seconds(run, run.ranks[0]), (std::vector<double>{1, 3}));
  EXPECT_EQ(averaged_steps(run), "2 steps of the window");
  run.untimed.reset();
  EXPECT_EQ(averaged_seconds(run, run.ranks[0]).size(), 4U);
  EXPECT_EQ(averaged_steps(run), "all 4 steps, of which no window is known");
  run.untimed = 4;
  EXPECT_EQ(first_averaged(run), 0U);
}

TEST(Imbalance, SpreadsOverRanks) {
  const std::vector<Spread> all = spreads(run_of(3, 2, 0));
  ASSERT_EQ(all.size(), 4U);  // step, vit, head, other
  EXPECT_EQ(all[0].name, "step");
  EXPECT_NEAR(all[0].min, 1, 1e-12);
  EXPECT_NEAR(all[0].median, 1.1, 1e-12);
  EXPECT_NEAR(all[0].max, 1.2, 1e-12);
  EXPECT_EQ(all[0].slowest, 2);
  EXPECT_EQ(count(imbalance_figure(run_of(3, 2, 0), {}, kWide), "<title>"), 2 * 4);
  EXPECT_EQ(imbalance_figure(run_of(1, 2, 0), {}, kWide), "");
}

TEST(Memory, APairForEveryRankAndCategory) {
  ShownRun run;
  run.memory = {{0, "total", 2e9, 1e9}, {1, "total", 2e9, std::nullopt}};
  const std::string svg = memory_figure(run, {}, kWide);
  EXPECT_EQ(count(svg, ": planned "), 2);
  EXPECT_EQ(count(svg, ": measured "), 1);
}

TEST(Roofline, HasAPointForEveryPartWithBytes) {
  const std::vector<PartRate> parts{{"vit", 1e12, 10, 1e10}, {"head", 1e12, 5, std::nullopt}};
  const std::string svg = roofline_figure(parts, {8e11, 2e10}, kWide);
  EXPECT_EQ(count(svg, "<circle"), 1);
  EXPECT_EQ(count(svg, "class=\"roof\""), 2);
  EXPECT_EQ(count(roofline_figure(parts, {}, kWide), "class=\"roof\""), 0);
  EXPECT_EQ(roofline_figure({{"head", 1e12, 5, std::nullopt}}, {8e11, 2e10}, kWide), "");
}

TEST(Roofline, StaysInThePlot) {
  const std::vector<PartRate> parts{{"vit", 3e15, 20, 2e13}, {"head", 4e14, 9, 1e13}};
  for (const MachineRates& machine :
       {MachineRates{9e14, 3.2e12}, MachineRates{std::nullopt, 3.2e12}, MachineRates{9e14, {}},
        MachineRates{9e14, 1e9}, MachineRates{1e9, 1e16}}) {
    const std::string svg = roofline_figure(parts, machine, kWide);
    EXPECT_GE(count(svg, "class=\"roof\""), 1);
    const std::regex line(
        "<path d=\"M([-0-9.]+) ([-0-9.]+)L([-0-9.]+) ([-0-9.]+)\" class=\"roof\"");
    for (std::sregex_iterator at(svg.begin(), svg.end(), line), end; at != end; ++at)
      for (const int i : {1, 2, 3, 4}) {
        EXPECT_GE(std::stod((*at)[i]), 20) << svg;
        EXPECT_LE(std::stod((*at)[i]), i % 2 == 1 ? kWide : 290) << svg;
      }
  }
}

TEST(Series, APointOrACrossForEveryLaunch) {
  std::vector<ShownRun> runs(3);
  for (std::size_t i = 0; i < 2; ++i) {
    runs[i].standing = Standing::valid;
    runs[i].fom = {"fom", "1/s", 100.0 + static_cast<double>(i), true, std::nullopt};
  }
  ShownSeries series{.name = "s", .runs = {0, 1, 2}, .median = 100.5};
  const std::string svg = series_figure(series, runs, kWide);
  EXPECT_EQ(count(svg, "<circle"), 2);
  EXPECT_EQ(count(svg, "class=\"failed\""), 2);
  EXPECT_THAT(svg, HasSubstr(">FAILED</text>"));
}

TEST(Figures, OfNothingAreNone) {
  const ShownRun run;
  EXPECT_EQ(step_times_figure(run, {}, kWide), "");
  EXPECT_EQ(phases_figure(run, {}, kWide), "");
  EXPECT_EQ(memory_figure(run, {}, kWide), "");
  EXPECT_EQ(series_figure({}, {}, kWide), "");
  // Nor beside another run, with its scale.
  const Bounds scale{0, 5};
  EXPECT_EQ(step_times_figure(run, scale, kWide), "");
  EXPECT_EQ(phases_figure(run, scale, kWide), "");
  EXPECT_EQ(imbalance_figure(run, scale, kWide), "");
  EXPECT_EQ(memory_figure(run, scale, kWide), "");
}

TEST(Figures, ShareAScaleWhereTheyCan) {
  EXPECT_EQ(shared_bounds({{1, 2}, {0.5, 6}}).high, 6);
  EXPECT_EQ(shared_bounds({{1, 2}, {0.5, 6}}).low, 0.5);
  EXPECT_FALSE(shared_bounds({{1, 2}, {1, 9}}).given());
}

TEST(Figures, AloneHaveTheirColoursAndNamespace) {
  const std::string file = standalone(step_times_figure(run_of(1, 2, 0), {}, kWide));
  EXPECT_THAT(file, HasSubstr("<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"figure\""));
  EXPECT_THAT(file, HasSubstr("--paper"));
}

/// Contrast of WCAG 2 of two colours "#rrggbb".
double contrast(const std::string& a, const std::string& b) {
  const auto luminance = [](const std::string& colour) {
    double sum = 0;
    for (const auto& [at, weight] : {std::pair{1, 0.2126}, {3, 0.7152}, {5, 0.0722}}) {
      const double c =
          std::stoi(colour.substr(static_cast<std::size_t>(at), 2), nullptr, 16) / 255.0;
      sum += weight * (c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4));
    }
    return sum;
  };
  const double x = luminance(a), y = luminance(b);
  return (std::max(x, y) + 0.05) / (std::min(x, y) + 0.05);
}

TEST(Style, TextStandsOutInLightAndDark) {
  const std::string style = colour_style();
  const std::size_t dark = style.find("@media");
  ASSERT_NE(dark, std::string::npos);
  for (const std::string& scheme : {style.substr(0, dark), style.substr(dark)}) {
    std::map<std::string, std::string> colours;
    const std::regex entry("--([a-z0-9]+):(#[0-9a-f]{6})");
    for (std::sregex_iterator at(scheme.begin(), scheme.end(), entry), end; at != end; ++at)
      colours[(*at)[1]] = (*at)[2];
    for (const char* ground : {"paper", "row"})
      for (const char* text : {"ink", "soft", "good", "bad", "warn", "link"})
        EXPECT_GE(contrast(colours.at(text), colours.at(ground)), 4.5) << text << " on " << ground;
    for (std::size_t i = 0; i < kSeriesColours; ++i)  // marks: WCAG's 3:1 of graphics
      EXPECT_GE(contrast(colours.at("s" + std::to_string(i)), colours.at("paper")), 3.0) << i;
    EXPECT_EQ(colours.count("p" + std::to_string(kAreaColours - 1)), 1U);
  }
}

}  // namespace
}  // namespace vlmark::report
