#include "src/report/series.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/base/error.hpp"

namespace vlmark::report {
namespace {

RunResult run_of(double value, bool higher_is_better = true) {
  RunResult run;
  run.file = "run/result.json";
  run.rules = "1.0";
  run.fom.value = value;
  run.fom.higher_is_better = higher_is_better;
  return run;
}

std::vector<double> window(const std::vector<double>& foms, int n, bool higher_is_better = true) {
  Series series;
  for (const double fom : foms) series.runs.push_back(run_of(fom, higher_is_better));
  series.runs = median_window(series.runs, n);
  return series.foms();
}

TEST(MedianWindow, TakesTheMiddleOneOfAll) {
  using testing::ElementsAre;
  EXPECT_THAT(window({1, 2, 3}, 3), ElementsAre(1, 2, 3));
  // Medians of the windows: 2, 3, 4.
  EXPECT_THAT(window({1, 2, 3, 4, 9}, 3), ElementsAre(2, 3, 4));
  // Two windows: the worse.
  EXPECT_THAT(window({1, 2, 3, 4}, 3), ElementsAre(1, 2, 3));
  EXPECT_THAT(window({1, 2, 3, 4}, 3, false), ElementsAre(2, 3, 4));
  // Not sorted: windows are consecutive launches. Medians 5, 5, 1.
  EXPECT_THAT(window({9, 5, 1, 7, 0}, 3), ElementsAre(9, 5, 1));
}

TEST(RequireComparable, NamesEveryDifferenceWithBothValues) {
  const RunResult base = run_of(1);
  EXPECT_NO_THROW(require_comparable(base, base));
  RunResult other = base;
  other.file = "b/result.json";
  other.precision = "bf16";
  other.tier = "ported";
  EXPECT_THAT([&] { require_comparable(base, other); },
              testing::ThrowsMessage<NotComparableError>(testing::AllOf(
                  testing::StartsWith("b/result.json: "), testing::HasSubstr("'precision' is bf16"),
                  testing::HasSubstr("'tier' is ported where run/result.json has "))));
}

}  // namespace
}  // namespace vlmark::report
