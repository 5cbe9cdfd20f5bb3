#pragma once

#include <vector>

namespace vlmark::report {

/// Maps values to places of a drawing, linearly or by the logarithm.
struct Scale {
  double low = 0, high = 1;   ///< values at the ends
  double from = 0, to = 100;  ///< their places
  bool logarithmic = false;   ///< low > 0 then

  double at(double value) const;
};

/// A step of 1, 2 or 5 times a power of ten that cuts `length` > 0 into at most `most` parts.
double tick_step(double length, int most);

/// Multiples of tick_step within a linear scale; the powers of ten within a logarithmic one.
std::vector<double> ticks(const Scale& scale, int most);

/// Bounds of an axis for values between `low` and `high`: from 0 where the values do not lie close
/// together (low < high / 2), else with a margin; never of no length.
Scale axis_for(double low, double high, double from, double to);

/// Powers of ten around the values, at least one of them apart.
Scale log_axis_for(double low, double high, double from, double to);

}  // namespace vlmark::report
