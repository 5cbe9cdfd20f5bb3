#include <fmt/format.h>

#include <algorithm>

#include "src/report/drawing.hpp"
#include "src/report/figures.hpp"
#include "src/report/run_numbers.hpp"
#include "src/report/style.hpp"

namespace vlmark::report {
namespace {

constexpr double left = 72, right = 14;
constexpr std::size_t most_rows = 48;

double sum(const std::vector<double>& values) {
  double total = 0;
  for (const double value : values) total += value;
  return total;
}

}  // namespace

Bounds phase_bounds(const ShownRun& run) {
  Bounds bounds;
  for (const auto& mean : mean_phases(run)) bounds.high = std::max(bounds.high, sum(mean));
  return bounds;
}

std::string phases_figure(const ShownRun& run, const Bounds& seconds, double width) {
  const Bounds own = phase_bounds(run), bounds = seconds.given() ? seconds : own;
  if (!(own.high > 0)) return {};
  const auto means = mean_phases(run);
  const auto names = phase_names(run);
  Drawing drawing(width);
  std::vector<std::pair<std::string, std::string>> entries;
  for (std::size_t p = 0; p < names.size(); ++p)
    if (std::any_of(means.begin(), means.end(), [p](const auto& mean) { return mean[p] > 0; }))
      entries.emplace_back(fmt::format("p{}", p % kAreaColours), names[p]);
  const double top = drawing.legend(left, 4, entries) + 6;
  const std::vector<std::size_t> shown = evenly(run.ranks.size(), most_rows, slowest_index(run));
  const double row = shown.size() <= 16 ? 24 : 14;
  const Scale x{0, bounds.high * 1.02, left, width - right};
  const WrittenUnit unit = written_unit(Unit::seconds, bounds.high);
  const double bottom = top + row * static_cast<double>(shown.size());
  drawing.axis_below(x, bottom, top, "mean time of a step", unit, width < 500 ? 4 : 8);
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const double y = top + row * static_cast<double>(i);
    const int rank = run.ranks[shown[i]].rank;
    drawing.text(left - 8, y + row / 2 + 4, fmt::format("rank {}", rank), "end");
    double start = 0;
    for (std::size_t p = 0; p < names.size(); ++p) {
      const double length = means[shown[i]][p];
      if (length <= 0) continue;
      drawing.rect(x.at(start), y + 2, x.at(start + length) - x.at(start), row - 4,
                   fmt::format("bar p{}", p % kAreaColours),
                   fmt::format("rank {}, {}: {}", rank, names[p], quantity(length, Unit::seconds)));
      start += length;
    }
  }
  return drawing.finish(bottom + 40, "Phases of the mean step of every rank of " + run.name);
}

}  // namespace vlmark::report
