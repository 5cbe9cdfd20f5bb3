#include <fmt/format.h>

#include <algorithm>

#include "src/report/bench_figures.hpp"
#include "src/report/drawing.hpp"
#include "src/report/style.hpp"

namespace vlmark::report {
namespace {

constexpr double row_height = 17, right = 16;
constexpr std::size_t longest_label = 22;

/// In the order in which they first come, which is that of a step.
std::vector<std::string> kernels_of(const ShownBench& bench) {
  std::vector<std::string> kernels;
  for (const KernelCase& c : bench.kernels)
    if (std::find(kernels.begin(), kernels.end(), c.kernel) == kernels.end())
      kernels.push_back(c.kernel);
  return kernels;
}

}  // namespace

void widen(Bounds& bounds, double value) {
  bounds.low = bounds.high > 0 ? std::min(bounds.low, value) : value;
  bounds.high = std::max(bounds.high, value);
}

std::vector<std::string> precisions_of(const ShownBench& bench) {
  std::vector<std::string> precisions;
  for (const KernelCase& c : bench.kernels)
    if (std::find(precisions.begin(), precisions.end(), c.precision) == precisions.end())
      precisions.push_back(c.precision);
  return precisions;
}

Bounds percent_bounds(const std::vector<ShownBench>& benches) {
  Bounds percent;
  widen(percent, 100);
  for (const ShownBench& bench : benches)
    for (const KernelCase& c : bench.kernels) widen(percent, c.roofline_percent);
  return percent;
}

std::string kernel_percent_figure(const ShownBench& bench, const Bounds& percent, double width) {
  const std::vector<std::string> kernels = kernels_of(bench), precisions = precisions_of(bench);
  if (kernels.empty()) return {};
  Drawing drawing(width);
  double left = 0;
  for (const std::string& kernel : kernels)
    left = std::max(left, text_width(shortened(kernel, longest_label)) + 10);
  const auto colour = [&](const std::string& precision) {
    const auto at = std::find(precisions.begin(), precisions.end(), precision);
    return static_cast<std::size_t>(at - precisions.begin()) % kSeriesColours;
  };
  std::vector<std::pair<std::string, std::string>> entries;
  for (const std::string& precision : precisions)
    entries.emplace_back(fmt::format("s{}", colour(precision)), precision);
  const double top = drawing.legend(left, 4, entries) + 6;
  const double bottom = top + row_height * static_cast<double>(kernels.size());
  for (std::size_t k = 0; k < kernels.size(); ++k) {
    const double y = top + row_height * static_cast<double>(k);
    if (k % 2 == 0) drawing.rect(left, y, width - right - left, row_height, "row");
    drawing.text(left - 6, y + 13, shortened(kernels[k], longest_label), "end");
  }
  constexpr double margin = 1.25;  // whole decades would leave much of a narrow figure empty
  const Scale x{percent.low / margin, percent.high * margin, left, width - right, true};
  drawing.axis_below(x, bottom, top, "of the roofline", {1, "%"});
  drawing.line(x.at(100), top, x.at(100), bottom, "roof");
  for (const KernelCase& c : bench.kernels) {
    const auto k =
        static_cast<double>(std::find(kernels.begin(), kernels.end(), c.kernel) - kernels.begin());
    // Precisions of a kernel lie above each other, or one would cover the other.
    const double share = (static_cast<double>(colour(c.precision)) + 0.5) /
                         static_cast<double>(std::min(precisions.size(), kSeriesColours));
    drawing.circle(x.at(c.roofline_percent), top + row_height * (k + 0.2 + 0.6 * share), 3.2,
                   fmt::format("bar s{}", colour(c.precision)),
                   c.name + ": " + significant(c.roofline_percent) + " %");
  }
  return drawing.finish(bottom + 40, "Per cent of the roofline of every case of " + bench.name);
}

}  // namespace vlmark::report
