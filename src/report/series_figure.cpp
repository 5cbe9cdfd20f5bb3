#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "src/report/drawing.hpp"
#include "src/report/figures.hpp"

namespace vlmark::report {

std::string series_figure(const ShownSeries& series, const std::vector<ShownRun>& runs,
                          double width) {
  double low = std::numeric_limits<double>::infinity(), high = 0;
  std::string unit;
  const auto take = [&](double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  };
  for (const std::size_t i : series.runs) {
    const auto& fom = runs[i].fom;
    if (!fom) continue;
    unit = fom->unit;
    take(fom->value);
    if (fom->within_run) take(fom->within_run->low), take(fom->within_run->high);
  }
  if (!(high > 0)) return {};
  if (series.interval) take(series.interval->low), take(series.interval->high);
  constexpr double left = 76, right = 14, top = 34, height = 220, bottom = top + height;
  Drawing drawing(width);
  drawing.legend(left, 4, {{"s0", "a launch"}, {"band", "95 % interval over runs"}});
  const Scale x{0.5, static_cast<double>(series.runs.size()) + 0.5, left, width - right};
  const Scale y = axis_for(low, high, bottom, top);
  if (series.interval)
    drawing.rect(left, y.at(series.interval->high), width - right - left,
                 std::max(1.0, y.at(series.interval->low) - y.at(series.interval->high)), "band");
  drawing.axis_left(
      y, left, width - right, "figure of merit",
      high < 1e5 ? WrittenUnit{1, unit} : WrittenUnit{1e3, "10\u00b3 \u00b7 " + unit});
  drawing.axis_below(x, bottom, bottom, "launch", {},
                     std::min<int>(10, static_cast<int>(series.runs.size())));
  if (series.median) {
    drawing.line(left, y.at(*series.median), width - right, y.at(*series.median), "bound");
    drawing.text(width - right - 4, y.at(*series.median) - 5, "median", "end", "soft");
  }
  for (std::size_t i = 0; i < series.runs.size(); ++i) {
    const ShownRun& run = runs[series.runs[i]];
    const double at = x.at(static_cast<double>(i + 1));
    if (!run.fom || run.standing != Standing::valid) {
      const double place = run.fom && run.fom->value > 0 ? y.at(run.fom->value) : bottom - 12;
      drawing.line(at - 5, place - 5, at + 5, place + 5, "failed");
      drawing.line(at - 5, place + 5, at + 5, place - 5, "failed");
      drawing.text(at, place - 10, name_of(run.standing), "middle", "bad");
      continue;
    }
    if (run.fom->within_run)
      drawing.line(at, y.at(run.fom->within_run->low), at, y.at(run.fom->within_run->high),
                   "whisker");
    drawing.circle(at, y.at(run.fom->value), 5, "s0",
                   fmt::format("{}: {} {}", run.name, significant(run.fom->value), unit));
  }
  return drawing.finish(bottom + 40, "Figure of merit of every launch of " + series.name);
}

}  // namespace vlmark::report
