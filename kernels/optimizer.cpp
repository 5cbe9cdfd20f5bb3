#include "kernels/optimizer.hpp"

#include <cmath>

#include "kernels/shape.hpp"
#include "kernels/team.hpp"

namespace vlmark::kernels {
namespace {

void require_value(const char* name, double value, bool valid, const char* expected) {
  if (valid) return;  // NaN fails every comparison
  throw ValueError("adamw: argument '" + std::string(name) + "' is " + std::to_string(value) +
                   " (expected " + expected +
                   ": the weights would be lost). Correct the optimizer's settings");
}

void require_valid(const AdamW& s, float gradient_scale) {
  const char* not_negative = "a finite number >= 0";
  const char* decay = "a number in [0, 1)";
  const char* correction = "a number in (0, 1]";
  require_value("lr", s.lr, s.lr >= 0 && std::isfinite(s.lr), not_negative);
  require_value("beta1", s.beta1, s.beta1 >= 0 && s.beta1 < 1, decay);
  require_value("beta2", s.beta2, s.beta2 >= 0 && s.beta2 < 1, decay);
  require_value("eps", s.eps, s.eps >= 0 && std::isfinite(s.eps), not_negative);
  require_value("weight_decay", s.weight_decay,
                s.weight_decay >= 0 && std::isfinite(s.weight_decay), not_negative);
  require_value("bias_correction1", s.bias_correction1,
                s.bias_correction1 > 0 && s.bias_correction1 <= 1, correction);
  require_value("bias_correction2", s.bias_correction2,
                s.bias_correction2 > 0 && s.bias_correction2 <= 1, correction);
  require_value("gradient_scale", gradient_scale, std::isfinite(gradient_scale), "a finite number");
}

}  // namespace

void adamw(const Exec& exec, const AdamW& step, Vec<const float> gradient, float gradient_scale,
           Vec<float> master, Vec<float> m, Vec<float> v) {
  const auto n = static_cast<long>(gradient.extent(0));
  require_shape("adamw", "master", master, n);
  require_shape("adamw", "m", m, n);
  require_shape("adamw", "v", v, n);
  require_valid(step, gradient_scale);
  // PyTorch forms these in double and rounds each once.
  const auto keep = static_cast<float>(1 - step.lr * step.weight_decay);
  const auto one_minus_beta1 = static_cast<float>(1 - step.beta1);
  const auto beta2 = static_cast<float>(step.beta2);
  const auto one_minus_beta2 = static_cast<float>(1 - step.beta2);
  const auto step_size = static_cast<float>(step.lr / step.bias_correction1);
  const auto root_correction2 = static_cast<float>(std::sqrt(step.bias_correction2));
  const auto eps = static_cast<float>(step.eps);
  for_each_element(
      "vlmark::adamw", exec, gradient.extent(0), KOKKOS_LAMBDA(std::size_t i) {
        const float g = gradient_scale * gradient(i);
        const float first = m(i) + one_minus_beta1 * (g - m(i));
        const float second = beta2 * v(i) + one_minus_beta2 * g * g;
        const float denominator = Kokkos::sqrt(second) / root_correction2 + eps;
        m(i) = first;
        v(i) = second;
        master(i) = keep * master(i) - step_size * first / denominator;
      });
}

}  // namespace vlmark::kernels
