#include "kernels/reference/activation.hpp"

#include <cmath>
#include <numbers>

namespace vlmark::kernels::reference {
namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

template <class F>
Values each(Input x, const F& f) {
  Values y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = f(i);
  return y;
}

}  // namespace

Values quick_gelu(Input x) {
  return each(x, [&](std::size_t i) { return x[i] * sigmoid(1.702 * x[i]); });
}

Values quick_gelu_backward(Input dy, Input x) {
  return each(x, [&](std::size_t i) {
    const double s = sigmoid(1.702 * x[i]);
    return dy[i] * (s + 1.702 * x[i] * s * (1 - s));
  });
}

Values gelu_erf(Input x) {
  // erfc(-z) = 1 + erf(z), without its cancellation.
  return each(x,
              [&](std::size_t i) { return 0.5 * x[i] * std::erfc(-x[i] / std::numbers::sqrt2); });
}

Values gelu_erf_backward(Input dy, Input x) {
  return each(x, [&](std::size_t i) {
    const double density = std::exp(-0.5 * x[i] * x[i]) / std::sqrt(2 * std::numbers::pi);
    return dy[i] * (0.5 * std::erfc(-x[i] / std::numbers::sqrt2) + x[i] * density);
  });
}

Values swiglu(Input gate_up, int width) {
  Values y(gate_up.size() / 2);
  for (std::size_t begin = 0; begin < y.size(); begin += width)
    for (int f = 0; f < width; ++f) {
      const double gate = gate_up[2 * begin + f], up = gate_up[2 * begin + width + f];
      y[begin + f] = gate * sigmoid(gate) * up;
    }
  return y;
}

Values swiglu_backward(Input dy, Input gate_up, int width) {
  Values d(gate_up.size());
  for (std::size_t begin = 0; begin < dy.size(); begin += width)
    for (int f = 0; f < width; ++f) {
      const double gate = gate_up[2 * begin + f], up = gate_up[2 * begin + width + f];
      const double s = sigmoid(gate);
      d[2 * begin + f] = dy[begin + f] * up * s * (1 + gate * (1 - s));
      d[2 * begin + width + f] = dy[begin + f] * gate * s;
    }
  return d;
}

}  // namespace vlmark::kernels::reference
