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
  const auto roof = [&](double from, double rate_from, double to, double rate_to,
                        const std::string& label) {
    if (!(from < to)) return;
    drawing.path(fmt::format("M{:.1f} {:.1f}L{:.1f} {:.1f}", x.at(from), y.at(rate_from), x.at(to),
                             y.at(rate_to)),
                 "roof", label);
  };
  // Where the bandwidth's line enters the plot, and where it ends: at the peak, or leaves it.
  const double begin = bandwidth ? std::max(x.low, y.low / *bandwidth) : x.low;
  const double ridge = bandwidth ? peak.value_or(y.high) / *bandwidth : x.low;
  const double end = std::min(ridge, x.high);
  if (bandwidth) {
    const std::string label = quantity(*bandwidth, Unit::bytes_per_second);
    roof(begin, begin * *bandwidth, end, end * *bandwidth, "bandwidth " + label);
    const double middle = std::sqrt(begin * end);  // the line rises: left of a point is above it
    if (begin < end)
      drawing.text(x.at(middle) - 8, y.at(middle * *bandwidth) - 2, label, "end", "soft");
  }
  if (peak) {
    const std::string label = quantity(*peak, Unit::flops_per_second);
    roof(std::max(ridge, x.low), *peak, x.high, *peak, "peak " + label);
    drawing.text(x.to - 4, y.at(*peak) - 5, label, "end", "soft");
  }
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
