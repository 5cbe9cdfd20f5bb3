#include "src/report/scale.hpp"

#include <cmath>

namespace vlmark::report {

double Scale::at(double value) const {
  const double part =
      logarithmic ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
  return from + part * (to - from);
}

double tick_step(double length, int most) {
  const double power = std::pow(10, std::floor(std::log10(length / most)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (length / (factor * power) <= most) return factor * power;
  return 10 * power;
}

std::vector<double> ticks(const Scale& scale, int most) {
  std::vector<double> found;
  if (scale.logarithmic) {
    for (double power = std::ceil(std::log10(scale.low) - 1e-9);
         power <= std::log10(scale.high) + 1e-9; ++power)
      found.push_back(std::pow(10, power));
    return found;
  }
  const double length = scale.high - scale.low, step = tick_step(length, most);
  // Counted, not summed: a tick at 0 is 0, and rounding does not lose the last one.
  for (double i = std::ceil(scale.low / step - 1e-9); i * step <= scale.high + 1e-9 * length; ++i)
    found.push_back(i * step + 0.0);  // no -0
  return found;
}

Scale axis_for(double low, double high, double from, double to) {
  if (!(high > 0)) return {0, 1, from, to};
  if (low < high / 2) return {0, high * 1.04, from, to};
  const double margin = high > low ? (high - low) * 0.08 : high * 0.02;
  return {low - margin, high + margin, from, to};
}

Scale log_axis_for(double low, double high, double from, double to) {
  double first = std::floor(std::log10(low)), last = std::ceil(std::log10(high));
  if (last <= first) last = first + 1;
  return {std::pow(10, first), std::pow(10, last), from, to, true};
}

}  // namespace vlmark::report
