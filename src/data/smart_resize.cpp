#include "src/data/smart_resize.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

#include "src/base/error.hpp"

namespace vlmark::data {
namespace {

constexpr double max_aspect_ratio = 200;

template <class... Parts>
ValueError refuse(const Parts&... parts) {
  std::ostringstream text;
  text.precision(15);
  text << "smart_resize: ";
  (text << ... << parts);
  return ValueError(text.str());
}

void require_arguments(int height, int width, const PixelLimits& limits, int factor) {
  if (height < 1 || width < 1) {
    throw refuse("picture of height ", height, " and width ", width,
                 " (both must be at least 1). Check the picture");
  }
  if (factor < 1) throw refuse("factor is ", factor, " (patch_size * merge_size must be positive)");
  if (!(limits.min > 0 && limits.min <= limits.max && std::isfinite(limits.max))) {
    throw refuse("min_pixels ", limits.min, " and max_pixels ", limits.max,
                 " (0 < min_pixels <= max_pixels must hold). Change the limits");
  }
  const double ratio = static_cast<double>(std::max(height, width)) / std::min(height, width);
  if (ratio > max_aspect_ratio) {
    throw refuse("height ", height, " and width ", width, " have an aspect ratio of ", ratio,
                 ", the limit is ", max_aspect_ratio,
                 " (a side would vanish). Crop or pad the picture");
  }
}

int to_side(double side, int height, int width) {
  if (side > std::numeric_limits<int>::max()) {
    throw refuse("height ", height, " and width ", width, " would become a side of ", side,
                 " pixels (too large to count). Lower min_pixels or max_pixels");
  }
  return static_cast<int>(side);
}

}  // namespace

ImageSize smart_resize(int height, int width, const PixelLimits& limits, int factor) {
  require_arguments(height, width, limits, factor);
  const double h = height, w = width, f = factor;
  double new_h = f * std::nearbyint(h / f);
  double new_w = f * std::nearbyint(w / f);
  if (new_h * new_w > limits.max) {
    const double beta = std::sqrt(h * w / limits.max);
    new_h = std::max(f, f * std::floor(h / beta / f));
    new_w = std::max(f, f * std::floor(w / beta / f));
  } else if (new_h * new_w < limits.min) {
    const double beta = std::sqrt(limits.min / (h * w));
    new_h = f * std::ceil(h * beta / f);
    new_w = f * std::ceil(w * beta / f);
  }
  return {to_side(new_h, height, width), to_side(new_w, height, width)};
}

}  // namespace vlmark::data
