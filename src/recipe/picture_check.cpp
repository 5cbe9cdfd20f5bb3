#include "src/recipe/picture_check.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace vlmark::recipe {
namespace {

constexpr int kChannels = 3;
// CLIP's, red first (preprocessor_config.json of every Qwen2-VL).
constexpr double kMean[] = {0.48145466, 0.4578275, 0.40821073};
constexpr double kDeviation[] = {0.26862954, 0.26130258, 0.27577711};

/// Keys' cubic with a = -1/2.
double cubic(double x) {
  x = std::abs(x);
  if (x < 1) return 1.5 * x * x * x - 2.5 * x * x + 1;
  return x < 2 ? -0.5 * x * x * x + 2.5 * x * x - 4 * x + 2 : 0;
}

/// What an element after a resize is made of: weights of elements before it, from `first` on.
struct Taps {
  int first = 0;
  std::vector<double> weights;
  int end() const { return first + static_cast<int>(weights.size()); }
};

std::vector<Taps> taps_of(int before, int after) {
  const double scale = static_cast<double>(before) / after;
  const double stretch = std::max(scale, 1.0);  // a smaller picture is smoothed as well
  std::vector<Taps> all(static_cast<std::size_t>(after));
  for (int i = 0; i < after; ++i) {
    const double centre = (i + 0.5) * scale;
    Taps& taps = all[static_cast<std::size_t>(i)];
    taps.first = std::max(0, static_cast<int>(std::floor(centre - 2 * stretch)));
    const int end = std::min(before, static_cast<int>(std::ceil(centre + 2 * stretch)));
    double sum = 0;
    for (int x = taps.first; x < end; ++x) {
      taps.weights.push_back(cubic((x + 0.5 - centre) / stretch));
      sum += taps.weights.back();
    }
    for (double& weight : taps.weights) weight /= sum;
  }
  return all;
}

/// Rows of the picture [from, to), resized to the width of `columns`: [to - from, width, 3].
std::vector<double> narrowed(const data::Image& picture, int from, int to,
                             const std::vector<Taps>& columns) {
  std::vector<double> rows;
  rows.reserve(static_cast<std::size_t>(to - from) * columns.size() * kChannels);
  for (int y = from; y < to; ++y) {
    const std::uint8_t* line =
        picture.rgb.data() + static_cast<std::ptrdiff_t>(y) * picture.width * kChannels;
    for (const Taps& taps : columns) {
      const std::uint8_t* at = line + static_cast<std::ptrdiff_t>(taps.first) * kChannels;
      double sum[kChannels] = {};
      for (const double weight : taps.weights)
        for (double& channel : sum) channel += weight * *at++;
      for (const double channel : sum) rows.push_back(std::clamp(channel, 0.0, 255.0));
    }
  }
  return rows;
}

}  // namespace

plan::Grid described_grid(data::ImageSize size, double min_pixels, double max_pixels,
                          const plan::VisionConfig& vision) {
  const double cell = vision.patch_size * vision.merge_size;
  const double area = static_cast<double>(size.height) * size.width;
  const double whole = cell * std::nearbyint(size.height / cell) * cell *  // ties to even
                       std::nearbyint(size.width / cell);
  const auto patches = [&](int side) {
    double cells = std::nearbyint(side / cell);
    if (whole > max_pixels)
      cells = std::max(1.0, std::floor(side / std::sqrt(area / max_pixels) / cell));
    else if (whole < min_pixels)
      cells = std::ceil(side * std::sqrt(min_pixels / area) / cell);
    return static_cast<int>(cells) * vision.merge_size;
  };
  return {1, patches(size.height), patches(size.width)};
}

double worst_level(const data::Image& picture, const plan::Grid& grid,
                   const plan::VisionConfig& vision, std::span<const float> values) {
  const int side = vision.patch_size, merge = vision.merge_size,
            frames = vision.temporal_patch_size, plane = side * side;
  const auto length = static_cast<std::size_t>(kChannels * frames * plane);
  if (grid.t != 1 || grid.h < 1 || grid.w < 1 ||
      values.size() != static_cast<std::size_t>(grid.patches()) * length)
    return 255;
  const std::vector<Taps> rows = taps_of(picture.height, grid.h * side),
                          columns = taps_of(picture.width, grid.w * side);
  const std::size_t width = columns.size() * kChannels;
  double worst = 0;
  std::vector<double> line(width);
  for (int v = 0; v < grid.h; ++v) {  // a row of patches at a time
    const auto top = static_cast<std::size_t>(v * side);
    const int from = rows[top].first, to = rows[top + static_cast<std::size_t>(side) - 1].end();
    const std::vector<double> source = narrowed(picture, from, to, columns);
    for (int y = 0; y < side; ++y) {
      const Taps& taps = rows[top + static_cast<std::size_t>(y)];
      std::fill(line.begin(), line.end(), 0.0);
      const double* at = source.data() + static_cast<std::size_t>(taps.first - from) * width;
      for (const double weight : taps.weights)
        for (double& sum : line) sum += weight * *at++;
      for (int u = 0; u < grid.w; ++u) {
        // Patches of a token follow each other, tokens from left to right, rows of tokens down.
        const int token = v / merge * (grid.w / merge) + u / merge;
        const int patch = token * merge * merge + v % merge * merge + u % merge;
        const float* of_patch = values.data() + static_cast<std::size_t>(patch) * length;
        for (int c = 0; c < kChannels; ++c)
          for (int f = 0; f < frames; ++f)  // a still picture is its own next frame
            for (int x = 0; x < side; ++x) {
              const double given = of_patch[(c * frames + f) * plane + y * side + x];
              const double level = 255 * (given * kDeviation[c] + kMean[c]);
              const double wanted = std::clamp(
                  line[static_cast<std::size_t>((u * side + x) * kChannels + c)], 0.0, 255.0);
              const double off = std::abs(level - wanted);
              if (!(off <= worst)) worst = off;  // NaN stays
              if (std::isnan(worst)) return worst;
            }
      }
    }
  }
  return worst;
}

}  // namespace vlmark::recipe
