#include "kernels/rotary.hpp"

#include <cmath>

#include "kernels/shape.hpp"
#include "kernels/team.hpp"

namespace vlmark::kernels {
namespace {

using Frequencies = Kokkos::Array<float, kMaxRotaryDim / 2>;

/// theta^(-2i/dim) for i in [0, dim/2), rounded to fp32 after the exponent, after the power and
/// after the reciprocal, as PyTorch does. By value: a kernel allocates nothing.
Frequencies inverse_frequencies(float theta, int dim) {
  Frequencies f{};
  for (int i = 0; i < dim / 2; ++i) {
    const float exponent = static_cast<float>(2 * i) / static_cast<float>(dim);
    const auto power =
        static_cast<float>(std::pow(static_cast<double>(theta), static_cast<double>(exponent)));
    f[i] = 1.0f / power;
  }
  return f;
}

void require_theta(const char* where, float theta) {
  if (theta > 0 && std::isfinite(theta)) return;
  throw ValueError(
      std::string(where) + ": argument 'theta' is " + std::to_string(theta) +
      " (expected a finite number above 0: it is the base of a power). Take rope_theta "
      "from the model's configuration");
}

void require_head_dim(const char* where, int head_dim, int multiple) {
  if (head_dim > 0 && head_dim <= kMaxRotaryDim && head_dim % multiple == 0) return;
  throw ShapeError(std::string(where) + ": head_dim is " + std::to_string(head_dim) +
                   " (expected a multiple of " + std::to_string(multiple) + " up to " +
                   std::to_string(kMaxRotaryDim) +
                   "). Choose hidden size and heads so that it is one");
}

template <class T>
void rotate_half_impl(const Exec& exec, Mat<T> x, Mat<const float> table, int heads, int head_dim,
                      bool inverse) {
  const int tokens = x.extent_int(0), half = head_dim / 2;
  require_head_dim("rotate_half", head_dim, 2);
  require_shape("rotate_half", "table", table, tokens, head_dim);
  if (heads < 0 || static_cast<long>(heads) * head_dim > x.extent_int(1))
    throw ShapeError("rotate_half: argument 'heads' is " + std::to_string(heads) + " of " +
                     std::to_string(head_dim) + " columns (x has " +
                     std::to_string(x.extent_int(1)) + " columns). Make the product fit them");
  const float sign = inverse ? -1.0f : 1.0f;
  const auto packs = packing(x, table).only_if(half % 8 == 0);
  for_each_row(
      "vlmark::rotate_half", exec, tokens, KOKKOS_LAMBDA(const Team& team, int t) {
        const float *cosines = row_of(table, t), *sines = cosines + half;
        T* row = row_of(x, t);
        for_each_block(team, heads, half, packs, [=](int head, auto at) {
          T *left = row + head * head_dim, *right = left + half;
          const auto c = at.load(cosines), sine = at.load(sines);
          const auto a = at.load(left), b = at.load(right);
          const auto s = at.map([&](int j) { return sign * sine[j]; });
          at.store(left, [&](int j) { return a[j] * c[j] - b[j] * s[j]; });
          at.store(right, [&](int j) { return b[j] * c[j] + a[j] * s[j]; });
        });
      });
}

}  // namespace

void mrope_table(const Exec& exec, Vec<const int> positions, const std::array<int, 3>& section,
                 float theta, Mat<float> table) {
  const int tokens = table.extent_int(0), head_dim = table.extent_int(1), half = head_dim / 2;
  require_head_dim("mrope_table", head_dim, 2);
  require_shape("mrope_table", "positions", positions, 3L * tokens);
  require_theta("mrope_table", theta);
  const auto [time, height, width] = section;
  if (time < 0 || height < 0 || width < 0 || time + height + width != half)
    throw ValueError("mrope_table: argument 'section' is [" + std::to_string(time) + ", " +
                     std::to_string(height) + ", " + std::to_string(width) +
                     "] (expected three numbers >= 0 of sum head_dim / 2 = " +
                     std::to_string(half) + "). Take mrope_section from the model's configuration");
  const Frequencies f = inverse_frequencies(theta, head_dim);
  const int height_from = time, width_from = time + height;
  for_each_row(
      "vlmark::mrope_table", exec, tokens, KOKKOS_LAMBDA(const Team& team, int t) {
        for_each(team, half, [&](int i) {
          const int axis = i < height_from ? 0 : i < width_from ? 1 : 2;
          const float angle = static_cast<float>(positions(axis * tokens + t)) * f[i];
          table(t, i) = Kokkos::cos(angle);
          table(t, half + i) = Kokkos::sin(angle);
        });
      });
}

void vision_rope_table(const Exec& exec, Vec<const int> hw, Mat<float> table, float theta) {
  const int patches = table.extent_int(0), head_dim = table.extent_int(1);
  const int half = head_dim / 2, quarter = head_dim / 4;
  require_head_dim("vision_rope_table", head_dim, 4);
  require_shape("vision_rope_table", "hw", hw, 2L * patches);
  require_theta("vision_rope_table", theta);
  const Frequencies f = inverse_frequencies(theta, half);
  for_each_row(
      "vlmark::vision_rope_table", exec, patches, KOKKOS_LAMBDA(const Team& team, int p) {
        for_each(team, half, [&](int i) {
          const int axis = i < quarter ? 0 : 1;
          const float angle = static_cast<float>(hw(axis * patches + p)) * f[i - axis * quarter];
          table(p, i) = Kokkos::cos(angle);
          table(p, half + i) = Kokkos::sin(angle);
        });
      });
}

void rotate_half(const Exec& exec, Mat<float> x, Mat<const float> table, int heads, int head_dim,
                 bool inverse) {
  rotate_half_impl<float>(exec, x, table, heads, head_dim, inverse);
}
void rotate_half(const Exec& exec, Mat<bf16> x, Mat<const float> table, int heads, int head_dim,
                 bool inverse) {
  rotate_half_impl<bf16>(exec, x, table, heads, head_dim, inverse);
}

}  // namespace vlmark::kernels
