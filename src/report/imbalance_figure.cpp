#include <fmt/format.h>

#include <algorithm>

#include "src/report/drawing.hpp"
#include "src/report/figures.hpp"
#include "src/report/run_numbers.hpp"

namespace vlmark::report {

std::string imbalance_figure(const ShownRun& run, const Bounds& seconds, double width) {
  const std::vector<Spread> all = spreads(run);
  if (all.size() < 2 || run.ranks.size() < 2) return {};
  double longest = seconds.given() ? seconds.high : 0;
  for (const Spread& s : all) longest = std::max(longest, s.max);
  constexpr double left = 118, right = 16, row = 24, top = 30;
  Drawing drawing(width);
  drawing.legend(left, 4, {{"s7", "least to largest"}, {"s1", "median"}});
  const Scale x{0, longest * 1.03, left, width - right};
  const double bottom = top + row * static_cast<double>(all.size());
  drawing.axis_below(x, bottom, top, "mean time in a step", written_unit(Unit::seconds, longest),
                     width < 500 ? 4 : 8);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Spread& s = all[i];
    const double y = top + row * static_cast<double>(i) + row / 2;
    drawing.text(left - 8, y + 4, s.name, "end");
    drawing.rect(x.at(s.min), y - 4, std::max(1.5, x.at(s.max) - x.at(s.min)), 8, "s7",
                 fmt::format("{}: {} to {} (rank {})", s.name, quantity(s.min, Unit::seconds),
                             quantity(s.max, Unit::seconds), s.slowest));
    drawing.rect(x.at(s.median) - 1.5, y - 8, 3, 16, "s1",
                 fmt::format("{}: median {}", s.name, quantity(s.median, Unit::seconds)));
  }
  return drawing.finish(bottom + 40, "Spread over ranks of " + run.name);
}

}  // namespace vlmark::report
