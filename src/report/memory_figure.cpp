#include <fmt/format.h>

#include <algorithm>

#include "src/report/drawing.hpp"
#include "src/report/figures.hpp"
#include "src/report/run_numbers.hpp"

namespace vlmark::report {

Bounds memory_bounds(const ShownRun& run) {
  Bounds bounds;
  for (const ShownMemory& m : run.memory)
    bounds.high = std::max({bounds.high, m.planned, m.measured.value_or(0)});
  return bounds;
}

std::string memory_figure(const ShownRun& run, const Bounds& bytes, double width) {
  const Bounds own = memory_bounds(run), bounds = bytes.given() ? bytes : own;
  if (!(own.high > 0)) return {};
  constexpr double left = 118, right = 16, top = 30;
  const auto largest = std::max_element(run.memory.begin(), run.memory.end(),
                                        [](const ShownMemory& a, const ShownMemory& b) {
                                          return a.measured.value_or(0) < b.measured.value_or(0);
                                        });
  const std::vector<std::size_t> shown =
      evenly(run.memory.size(), 48, static_cast<std::size_t>(largest - run.memory.begin()));
  const double row = shown.size() <= 24 ? 24 : 14;
  Drawing drawing(width);
  drawing.legend(left, 4, {{"frame", "planned"}, {"s0", "measured"}});
  const Scale x{0, bounds.high * 1.03, left, width - right};
  const double bottom = top + row * static_cast<double>(shown.size());
  drawing.axis_below(x, bottom, top, "memory", written_unit(Unit::bytes, bounds.high),
                     width < 500 ? 4 : 8);
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const ShownMemory& m = run.memory[shown[i]];
    const double y = top + row * static_cast<double>(i);
    const std::string name = fmt::format("rank {} {}", m.rank, m.category);
    drawing.text(left - 8, y + row / 2 + 4, shortened(name, 17), "end");
    if (m.measured)
      drawing.rect(left, y + 5, x.at(*m.measured) - left, row - 10, "s0",
                   name + ": measured " + quantity(*m.measured, Unit::bytes));
    drawing.rect(left, y + 2, x.at(m.planned) - left, row - 4, "frame",
                 name + ": planned " + quantity(m.planned, Unit::bytes));
  }
  return drawing.finish(bottom + 40, "Planned and measured memory of " + run.name);
}

Bounds shared_bounds(const std::vector<Bounds>& of_runs) {
  Bounds shared;
  double least_high = 0;
  for (const Bounds& bounds : of_runs) {
    if (!(bounds.high > 0)) continue;
    if (!shared.given()) {
      shared = bounds;
      least_high = bounds.high;
    }
    shared = {std::min(shared.low, bounds.low), std::max(shared.high, bounds.high)};
    least_high = std::min(least_high, bounds.high);
  }
  return shared.high > 4 * least_high ? Bounds{} : shared;
}

}  // namespace vlmark::report
