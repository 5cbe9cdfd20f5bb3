#pragma once

namespace vlmark::data {

/// Limits of a resized picture, in pixels. Doubles, because the release rule for video divides a
/// budget by the number of frames without rounding; whole numbers are exact.
struct PixelLimits {
  double min = 56 * 56;        ///< every checkpoint's preprocessor_config.json
  double max = 16384.0 * 784;  ///< 16384 tokens

  bool operator==(const PixelLimits&) const = default;
};

struct ImageSize {
  int height = 0;
  int width = 0;

  bool operator==(const ImageSize&) const = default;
};

/// Size to which a picture is resized: multiples of `factor` (patch size times merge size) close to
/// the original aspect ratio, with an area inside the limits. In float64, from the original size:
///
///     h' = factor * round(h / factor), ties to even; w' alike
///     h'*w' > max:  b = sqrt(h*w / max);  h' = max(factor, factor * floor(h / b / factor))
///     h'*w' < min:  b = sqrt(min / (h*w)); h' = factor * ceil(h*b / factor)
///
/// Source: transformers 4.57, Qwen2-VL image processor. The first line is not clamped to `factor`
/// (qwen-vl-utils clamps, which gives other sizes for thin pictures).
/// Throws ValueError for a side below 1, sides that differ more than 200 times, a `factor` below 1,
/// or limits that are not 0 < min <= max.
ImageSize smart_resize(int height, int width, const PixelLimits& limits = {}, int factor = 28);

}  // namespace vlmark::data
