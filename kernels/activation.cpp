#include "kernels/activation.hpp"

#include "kernels/math.hpp"
#include "kernels/shape.hpp"
#include "kernels/team.hpp"

namespace vlmark::kernels {
namespace {

constexpr float kQuick = 1.702f;

struct QuickGelu {
  static constexpr const char* name = "quick_gelu";
  static constexpr const char* label = "vlmark::quick_gelu";
  static constexpr const char* backward_name = "quick_gelu_backward";
  static constexpr const char* backward_label = "vlmark::quick_gelu_backward";
  KOKKOS_INLINE_FUNCTION static float value(float x) { return x * sigmoid(kQuick * x); }
  KOKKOS_INLINE_FUNCTION static float slope(float x) {
    const float s = sigmoid(kQuick * x);
    return s + kQuick * x * s * (1 - s);
  }
};

struct GeluErf {
  static constexpr const char* name = "gelu_erf";
  static constexpr const char* label = "vlmark::gelu_erf";
  static constexpr const char* backward_name = "gelu_erf_backward";
  static constexpr const char* backward_label = "vlmark::gelu_erf_backward";
  static constexpr float root_half = 0.70710678f;            // 1 / sqrt 2
  static constexpr float normal_density_at_0 = 0.39894228f;  // 1 / sqrt(2 pi)
  KOKKOS_INLINE_FUNCTION static float value(float x) {
    return 0.5f * x * (1 + error_function(root_half * x));
  }
  KOKKOS_INLINE_FUNCTION static float slope(float x) {
    return 0.5f * (1 + error_function(root_half * x)) +
           x * normal_density_at_0 * exponential(-0.5f * x * x);
  }
};

template <class F, class T>
void forward(const Exec& exec, Mat<const T> x, Mat<T> y) {
  const int rows = x.extent_int(0), columns = x.extent_int(1);
  require_shape(F::name, "y", y, rows, columns);
  const auto packs = packing(x, y);
  for_each_row(
      F::label, exec, rows, KOKKOS_LAMBDA(const Team& team, int t) {
        const T* in = row_of(x, t);
        T* out = row_of(y, t);
        for_each(team, columns, packs, [=](auto at) {
          const auto a = at.load(in);
          at.store(out, [&](int j) { return F::value(a[j]); });
        });
      });
}

template <class F, class T>
void backward(const Exec& exec, Mat<const T> dy, Mat<const T> x, Mat<T> dx) {
  const int rows = x.extent_int(0), columns = x.extent_int(1);
  require_shape(F::backward_name, "dy", dy, rows, columns);
  require_shape(F::backward_name, "dx", dx, rows, columns);
  const auto packs = packing(dy, x, dx);
  for_each_row(
      F::backward_label, exec, rows, KOKKOS_LAMBDA(const Team& team, int t) {
        const T *in_y = row_of(dy, t), *in_x = row_of(x, t);
        T* out = row_of(dx, t);
        for_each(team, columns, packs, [=](auto at) {
          const auto g = at.load(in_y), a = at.load(in_x);
          at.store(out, [&](int j) { return g[j] * F::slope(a[j]); });
        });
      });
}

template <class T>
void swiglu_impl(const Exec& exec, Mat<const T> gate_up, Mat<T> y) {
  const int tokens = y.extent_int(0), width = y.extent_int(1);
  require_shape("swiglu", "gate_up", gate_up, tokens, 2L * width);
  const auto packs = packing(y, columns(gate_up, 0, width), columns(gate_up, width, 2 * width));
  for_each_row(
      "vlmark::swiglu", exec, tokens, KOKKOS_LAMBDA(const Team& team, int t) {
        const T *gates = row_of(gate_up, t), *ups = gates + width;
        T* out = row_of(y, t);
        for_each(team, width, packs, [=](auto at) {
          const auto gate = at.load(gates), up = at.load(ups);
          at.store(out, [&](int j) { return gate[j] * sigmoid(gate[j]) * up[j]; });
        });
      });
}

template <class T>
void swiglu_backward_impl(const Exec& exec, Mat<const T> dy, Mat<const T> gate_up,
                          Mat<T> d_gate_up) {
  const int tokens = dy.extent_int(0), width = dy.extent_int(1);
  require_shape("swiglu_backward", "gate_up", gate_up, tokens, 2L * width);
  require_shape("swiglu_backward", "d_gate_up", d_gate_up, tokens, 2L * width);
  const auto packs = packing(dy, columns(gate_up, 0, width), columns(gate_up, width, 2 * width),
                             columns(d_gate_up, 0, width), columns(d_gate_up, width, 2 * width));
  for_each_row(
      "vlmark::swiglu_backward", exec, tokens, KOKKOS_LAMBDA(const Team& team, int t) {
        const T *gates = row_of(gate_up, t), *ups = gates + width, *in = row_of(dy, t);
        T *d_gates = row_of(d_gate_up, t), *d_ups = d_gates + width;
        for_each(team, width, packs, [=](auto at) {
          const auto gate = at.load(gates), up = at.load(ups), g = at.load(in);
          const auto s = at.map([&](int j) { return sigmoid(gate[j]); });
          at.store(d_gates,
                   [&](int j) { return g[j] * up[j] * s[j] * (1 + gate[j] * (1 - s[j])); });
          at.store(d_ups, [&](int j) { return g[j] * gate[j] * s[j]; });
        });
      });
}

}  // namespace

void quick_gelu(const Exec& exec, Mat<const float> x, Mat<float> y) {
  forward<QuickGelu, float>(exec, x, y);
}
void quick_gelu(const Exec& exec, Mat<const bf16> x, Mat<bf16> y) {
  forward<QuickGelu, bf16>(exec, x, y);
}
void quick_gelu_backward(const Exec& exec, Mat<const float> dy, Mat<const float> x, Mat<float> dx) {
  backward<QuickGelu, float>(exec, dy, x, dx);
}
void quick_gelu_backward(const Exec& exec, Mat<const bf16> dy, Mat<const bf16> x, Mat<bf16> dx) {
  backward<QuickGelu, bf16>(exec, dy, x, dx);
}

void gelu_erf(const Exec& exec, Mat<const float> x, Mat<float> y) {
  forward<GeluErf, float>(exec, x, y);
}
void gelu_erf(const Exec& exec, Mat<const bf16> x, Mat<bf16> y) {
  forward<GeluErf, bf16>(exec, x, y);
}
void gelu_erf_backward(const Exec& exec, Mat<const float> dy, Mat<const float> x, Mat<float> dx) {
  backward<GeluErf, float>(exec, dy, x, dx);
}
void gelu_erf_backward(const Exec& exec, Mat<const bf16> dy, Mat<const bf16> x, Mat<bf16> dx) {
  backward<GeluErf, bf16>(exec, dy, x, dx);
}

void swiglu(const Exec& exec, Mat<const float> gate_up, Mat<float> y) {
  swiglu_impl<float>(exec, gate_up, y);
}
void swiglu(const Exec& exec, Mat<const bf16> gate_up, Mat<bf16> y) {
  swiglu_impl<bf16>(exec, gate_up, y);
}
void swiglu_backward(const Exec& exec, Mat<const float> dy, Mat<const float> gate_up,
                     Mat<float> d_gate_up) {
  swiglu_backward_impl<float>(exec, dy, gate_up, d_gate_up);
}
void swiglu_backward(const Exec& exec, Mat<const bf16> dy, Mat<const bf16> gate_up,
                     Mat<bf16> d_gate_up) {
  swiglu_backward_impl<bf16>(exec, dy, gate_up, d_gate_up);
}

}  // namespace vlmark::kernels
