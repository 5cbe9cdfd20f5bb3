#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "src/report/drawing.hpp"
#include "src/report/figures.hpp"
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

/// Bandwidth up to the ridge, then the peak; either alone where the other was not measured.
void draw_roof(Drawing& drawing, const MachineRates& machine, const Scale& x, const Scale& y) {
  const auto& peak = machine.flops_per_second;
  const auto& bandwidth = machine.bytes_per_second;
  const double ridge = peak && bandwidth ? *peak / *bandwidth : peak ? x.low : x.high;
  const double begin = bandwidth ? std::max(x.low, y.low / *bandwidth) : x.low;
  const double end = std::clamp(ridge, x.low, x.high);
  if (bandwidth && begin < end)
    drawing.path(fmt::format("M{:.1f} {:.1f}L{:.1f} {:.1f}", x.at(begin), y.at(begin * *bandwidth),
                             x.at(end), y.at(end * *bandwidth)),
                 "roof", "bandwidth " + quantity(*bandwidth, Unit::bytes_per_second));
  if (peak && end < x.high)
    drawing.path(
        fmt::format("M{:.1f} {:.1f}L{:.1f} {:.1f}", x.at(end), y.at(*peak), x.to, y.at(*peak)),
        "roof", "peak " + quantity(*peak, Unit::flops_per_second));
}

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
