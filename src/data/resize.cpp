#include "src/data/resize.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "src/base/error.hpp"

// Built with -ffp-contract=off: a fused multiply-add in the weights would change single pixels.

namespace vlmark::data {
namespace {

constexpr int fraction_bits = 32 - 8 - 2;  // of the fixed-point weights, as in Pillow
constexpr std::int32_t half = 1 << (fraction_bits - 1);

double cubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

/// For output i: weights[i * stride + j] of input first[i] + j, j < count[i].
struct Taps {
  int stride = 0;
  std::vector<int> first, count;
  std::vector<std::int32_t> weights;
};

Taps make_taps(int in, int out) {
  const double scale = static_cast<double>(in) / out;
  const double filter_scale = std::max(scale, 1.0);
  const double support = 2 * filter_scale;
  const double inverse = 1 / filter_scale;
  Taps taps;
  taps.stride = static_cast<int>(std::ceil(support)) * 2 + 1;
  taps.weights.assign(static_cast<std::size_t>(taps.stride) * out, 0);
  std::vector<double> weight(taps.stride);
  for (int i = 0; i < out; ++i) {
    const double centre = (i + 0.5) * scale;
    const int first = std::max(static_cast<int>(centre - support + 0.5), 0);
    const int count = std::min(static_cast<int>(centre + support + 0.5), in) - first;
    double sum = 0;
    for (int j = 0; j < count; ++j) {
      weight[j] = cubic((j + first - centre + 0.5) * inverse);
      sum += weight[j];
    }
    std::int32_t* fixed = taps.weights.data() + static_cast<std::size_t>(i) * taps.stride;
    for (int j = 0; j < count; ++j) {
      const double w = (sum != 0 ? weight[j] / sum : weight[j]) * (1 << fraction_bits);
      fixed[j] = static_cast<std::int32_t>(w < 0 ? w - 0.5 : w + 0.5);
    }
    taps.first.push_back(first);
    taps.count.push_back(count);
  }
  return taps;
}

std::uint8_t to_pixel(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> fraction_bits, 0, 255));
}

// Rows that the horizontal pass works on side by side: in memory order the taps of one output lie
// 3 bytes apart, which no compiler vectorises.
constexpr int tile_rows = 16;
constexpr int lanes = 3 * tile_rows;

Image resize_rows(const Image& source, int width) {
  const Taps taps = make_taps(source.width, width);
  Image out{width, source.height,
            std::vector<std::uint8_t>(std::size_t{3} * width * source.height)};
  std::vector<std::uint8_t> tile(static_cast<std::size_t>(lanes) * source.width);  // [x][c][row]
  for (int y = 0; y < source.height; y += tile_rows) {
    const int rows = std::min(tile_rows, source.height - y);
    for (int r = 0; r < rows; ++r) {
      const std::uint8_t* row = &source.rgb[std::size_t{3} * source.width * (y + r)];
      for (int v = 0; v < 3 * source.width; ++v) tile[std::size_t{tile_rows} * v + r] = row[v];
    }
    for (int x = 0; x < width; ++x) {
      const std::int32_t* weights = &taps.weights[static_cast<std::size_t>(x) * taps.stride];
      const std::uint8_t* in = &tile[static_cast<std::size_t>(lanes) * taps.first[x]];
      std::array<std::int32_t, lanes> sum;
      sum.fill(half);
      for (int j = 0; j < taps.count[x]; ++j) {
        for (int i = 0; i < lanes; ++i) sum[i] += weights[j] * in[lanes * j + i];
      }
      for (int r = 0; r < rows; ++r) {
        std::uint8_t* pixel = &out.rgb[(static_cast<std::size_t>(y + r) * width + x) * 3];
        for (int c = 0; c < 3; ++c) pixel[c] = to_pixel(sum[tile_rows * c + r]);
      }
    }
  }
  return out;
}

// Columns summed at a time: few enough to stay in the first-level cache, sums included.
constexpr int block = 512;

Image resize_columns(const Image& source, int height) {
  const Taps taps = make_taps(source.height, height);
  const int stride = 3 * source.width;
  Image out{source.width, height,
            std::vector<std::uint8_t>(static_cast<std::size_t>(stride) * height)};
  std::array<std::int32_t, block> sum;
  for (int y = 0; y < height; ++y) {
    const std::int32_t* weights = &taps.weights[static_cast<std::size_t>(y) * taps.stride];
    for (int begin = 0; begin < stride; begin += block) {
      const int columns = std::min(block, stride - begin);
      sum.fill(half);
      for (int j = 0; j < taps.count[y]; ++j) {
        const std::uint8_t* in =
            &source.rgb[static_cast<std::size_t>(stride) * (taps.first[y] + j) + begin];
        for (int i = 0; i < columns; ++i) sum[i] += weights[j] * in[i];
      }
      std::uint8_t* row = &out.rgb[static_cast<std::size_t>(stride) * y + begin];
      for (int i = 0; i < columns; ++i) row[i] = to_pixel(sum[i]);
    }
  }
  return out;
}

}  // namespace

Image resize_bicubic(const Image& source, int width, int height) {
  require_image("resize_bicubic", source);
  if (width < 1 || height < 1) {
    throw ValueError("resize_bicubic: target size " + std::to_string(width) + "x" +
                     std::to_string(height) +
                     " (both sides must be positive). Ask for a larger one");
  }
  const auto along_rows = [width](const Image& image) {
    return image.width == width ? image : resize_rows(image, width);
  };
  const auto along_columns = [height](const Image& image) {
    return image.height == height ? image : resize_columns(image, height);
  };
  // The rounding between the passes makes their order visible in the pixels.
  const bool vertical_first = source.height > 100L * source.width && height < source.height;
  return vertical_first ? along_rows(along_columns(source)) : along_columns(along_rows(source));
}

}  // namespace vlmark::data
