#include "src/report/roof.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace vlmark::report {

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
      drawing.text(x.at(middle) - 8, y.at(middle * *bandwidth) - 2, label, "end", "soft halo");
  }
  if (peak) {
    const std::string label = quantity(*peak, Unit::flops_per_second);
    roof(std::max(ridge, x.low), *peak, x.high, *peak, "peak " + label);
    drawing.text(x.to - 4, y.at(*peak) - 5, label, "end", "soft halo");
  }
}

}  // namespace vlmark::report
