#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "src/report/drawing.hpp"
#include "src/report/figures.hpp"
#include "src/report/roof.hpp"
#include "src/report/style.hpp"

namespace vlmark::report {
namespace {

constexpr double left = 68, right = 16, height = 250;

struct Extent {
  double low = std::numeric_limits<double>::infinity(), high = 0;
  void take(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

}  // namespace

std::string roofline_figure(const std::vector<PartRate>& parts, const MachineRates& machine,
                            double width) {
  std::vector<PartRate> shown;
  Extent intensity, rate;
  for (const PartRate& part : parts) {
    if (!part.bytes || !(*part.bytes > 0) || !(part.rate() > 0)) continue;
    shown.push_back(part);
    intensity.take(part.flops / *part.bytes);
    rate.take(part.rate());
  }
  if (shown.empty()) return {};
  if (machine.flops_per_second) {
    rate.take(*machine.flops_per_second);
    if (machine.bytes_per_second)
      intensity.take(*machine.flops_per_second / *machine.bytes_per_second);
  }
  Drawing drawing(width);
  std::vector<std::pair<std::string, std::string>> entries;
  for (std::size_t i = 0; i < shown.size(); ++i)
    entries.emplace_back(fmt::format("s{}", i % kSeriesColours), shown[i].part);
  const double top = drawing.legend(left, 4, entries) + 8, bottom = top + height;
  const Scale x = log_axis_for(intensity.low, intensity.high, left, width - right);
  const Scale y = log_axis_for(rate.low, rate.high, bottom, top);
  drawing.axis_below(x, bottom, top, "arithmetic intensity, FLOP/byte", {});
  drawing.axis_left(y, left, width - right, "rate",
                    written_unit(Unit::flops_per_second, rate.high));
  draw_roof(drawing, machine, x, y);
  for (std::size_t i = 0; i < shown.size(); ++i)
    drawing.circle(x.at(shown[i].flops / *shown[i].bytes), y.at(shown[i].rate()), 5,
                   fmt::format("s{}", i % kSeriesColours),
                   shown[i].part + ": " + quantity(shown[i].rate(), Unit::flops_per_second));
  return drawing.finish(bottom + 40, "Roofline");
}

}  // namespace vlmark::report
