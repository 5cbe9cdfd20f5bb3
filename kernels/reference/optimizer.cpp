#include "kernels/reference/optimizer.hpp"

#include <cmath>

namespace vlmark::kernels::reference {

void adamw(const AdamW& step, Input gradient, double gradient_scale, std::span<double> parameters,
           std::span<double> m, std::span<double> v) {
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    const double g = gradient_scale * gradient[i];
    m[i] = step.beta1 * m[i] + (1 - step.beta1) * g;
    v[i] = step.beta2 * v[i] + (1 - step.beta2) * g * g;
    const double corrected_m = m[i] / step.bias_correction1;
    const double corrected_v = v[i] / step.bias_correction2;
    parameters[i] -= step.lr * step.weight_decay * parameters[i];
    parameters[i] -= step.lr * corrected_m / (std::sqrt(corrected_v) + step.eps);
  }
}

}  // namespace vlmark::kernels::reference
