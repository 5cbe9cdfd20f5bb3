#include "kernels/reference/rotary.hpp"

#include <cmath>

namespace vlmark::kernels::reference {
namespace {

float inverse_frequency(double theta, int i, int dim) {
  const float exponent = static_cast<float>(2 * i) / static_cast<float>(dim);
  return 1.0f / static_cast<float>(std::pow(theta, static_cast<double>(exponent)));
}

void set_angle(Values& table, std::size_t row, int head_dim, int i, float angle) {
  table[row * head_dim + i] = std::cos(static_cast<double>(angle));
  table[row * head_dim + head_dim / 2 + i] = std::sin(static_cast<double>(angle));
}

}  // namespace

Values mrope_table(std::span<const int> positions, const std::array<int, 3>& section, double theta,
                   int head_dim) {
  const std::size_t tokens = positions.size() / 3;
  Values table(tokens * head_dim);
  for (std::size_t t = 0; t < tokens; ++t) {
    int i = 0;
    for (int axis = 0; axis < 3; ++axis)
      for (int k = 0; k < section[axis]; ++k, ++i) {
        const auto position = static_cast<float>(positions[axis * tokens + t]);
        set_angle(table, t, head_dim, i, position * inverse_frequency(theta, i, head_dim));
      }
  }
  return table;
}

Values vision_rope_table(std::span<const int> hw, int head_dim, double theta) {
  const std::size_t patches = hw.size() / 2;
  Values table(patches * head_dim);
  for (std::size_t p = 0; p < patches; ++p)
    for (int j = 0; j < head_dim / 4; ++j) {
      const float f = inverse_frequency(theta, j, head_dim / 2);
      set_angle(table, p, head_dim, j, static_cast<float>(hw[p]) * f);
      set_angle(table, p, head_dim, head_dim / 4 + j, static_cast<float>(hw[patches + p]) * f);
    }
  return table;
}

Values rotate_half(Input x, Input table, int width, int heads, int head_dim, bool inverse) {
  Values y(x.begin(), x.end());
  const int half = head_dim / 2;
  for (std::size_t t = 0; t * width < x.size(); ++t)
    for (int head = 0; head < heads; ++head)
      for (int i = 0; i < half; ++i) {
        const std::size_t at = t * width + static_cast<std::size_t>(head) * head_dim + i;
        const double c = table[t * head_dim + i];
        const double s = (inverse ? -1 : 1) * table[t * head_dim + half + i];
        y[at] = x[at] * c - x[at + half] * s;
        y[at + half] = x[at + half] * c + x[at] * s;
      }
  return y;
}

}  // namespace vlmark::kernels::reference
