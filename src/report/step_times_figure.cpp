#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "src/report/drawing.hpp"
#include "src/report/figures.hpp"
#include "src/report/run_numbers.hpp"
#include "src/report/style.hpp"

namespace vlmark::report {
namespace {

constexpr double left = 62, right = 12, height = 230;
constexpr std::size_t most_marks = 40000;  ///< a file of a megabyte

struct Series {
  const RankSteps* rank;
  std::size_t colour;
};

/// Few ranks have a colour each; of many, the slowest has one and is drawn last.
std::vector<Series> coloured(const ShownRun& run, std::size_t steps, bool few) {
  const std::size_t slowest = slowest_index(run);
  const std::size_t most = std::max(kSeriesColours, most_marks / std::max<std::size_t>(steps, 1));
  std::vector<Series> series;
  for (const std::size_t i : evenly(run.ranks.size(), most, slowest))
    series.push_back({&run.ranks[i], few ? series.size() : i == slowest ? 1U : 7U});
  if (!few)
    std::stable_partition(series.begin(), series.end(),
                          [](const Series& s) { return s.colour == 7; });
  return series;
}

}  // namespace

Bounds step_time_bounds(const ShownRun& run) {
  Bounds bounds{std::numeric_limits<double>::infinity(), 0};
  for (const RankSteps& rank : run.ranks)
    for (const double seconds : rank.seconds) {
      bounds.low = std::min(bounds.low, seconds);
      bounds.high = std::max(bounds.high, seconds);
    }
  return bounds;
}

std::string step_times_figure(const ShownRun& run, const Bounds& seconds, double width) {
  const Bounds own = step_time_bounds(run), bounds = seconds.given() ? seconds : own;
  if (!(own.high > 0)) return {};
  std::size_t steps = 0;
  for (const RankSteps& rank : run.ranks) steps = std::max(steps, rank.seconds.size());
  Drawing drawing(width);
  const bool few = run.ranks.size() <= kSeriesColours;
  const std::vector<Series> series = coloured(run, steps, few);
  std::vector<std::pair<std::string, std::string>> entries;
  if (few) {
    for (const Series& s : series)
      entries.emplace_back(fmt::format("s{}", s.colour), fmt::format("rank {}", s.rank->rank));
  } else {
    entries.emplace_back("s1", fmt::format("rank {}, the slowest", slowest_rank(run)));
    const std::size_t others = run.ranks.size() - 1, drawn = series.size() - 1;
    entries.emplace_back("s7", drawn == others ? fmt::format("the other {} ranks", others)
                                               : fmt::format("{} of the other {}", drawn, others));
  }
  const double top = drawing.legend(left, 4, entries) + 14, bottom = top + height;
  const auto last = static_cast<double>(std::max<std::size_t>(steps, 2) - 1);
  const Scale x{-0.5, last + 0.5, left, width - right};
  const Scale y = axis_for(bounds.low, bounds.high, bottom, top);
  if (run.untimed.value_or(0) > 0) {
    const double end = x.at(std::min(static_cast<double>(*run.untimed), last + 1) - 0.5);
    drawing.rect(left, top, end - left, height, "row", "untimed steps, not in the window");
    drawing.line(end, top, end, bottom, "bound");
    if (end - left > 50)
      drawing.text((left + end) / 2, top - 4, "untimed", "middle", "soft");
    else
      drawing.text(left, top - 4, "untimed | window", "start", "soft");
  }
  drawing.axis_left(y, left, width - right, "time of a step",
                    written_unit(Unit::seconds, bounds.high));
  // No more ticks than steps: there is no half of one.
  drawing.axis_below(x, bottom, bottom, "step", {},
                     std::min(width < 500 ? 5 : 10, static_cast<int>(last) + 1));
  for (const Series& s : series) {
    std::string dots, thread;
    for (std::size_t i = 0; i < s.rank->seconds.size(); ++i) {
      const std::string place =
          fmt::format("{:.1f} {:.1f}", x.at(static_cast<double>(i)), y.at(s.rank->seconds[i]));
      dots += "M" + place + "h0";
      thread += (i == 0 ? "M" : "L") + place;
    }
    if (dots.empty()) continue;
    if (few) drawing.path(thread, fmt::format("thread l{}", s.colour));
    drawing.path(dots, fmt::format("dots l{}", s.colour), fmt::format("rank {}", s.rank->rank));
  }
  return drawing.finish(bottom + 40, "Time of every step of every rank of " + run.name);
}

}  // namespace vlmark::report
