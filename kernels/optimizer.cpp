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
  const auto packs = packing(gradient, master, m, v);
  for_each_chunk(
      "vlmark::adamw", exec, gradient.extent(0),
      KOKKOS_LAMBDA(const Team& team, std::size_t begin, int count) {
        const float* gradients = gradient.data() + begin;
        float *weights = master.data() + begin, *firsts = m.data() + begin,
              *seconds = v.data() + begin;
        for_each(team, count, packs, [=](auto at) {
          const auto raw = at.load(gradients), w = at.load(weights), m0 = at.load(firsts),
                     v0 = at.load(seconds);
          const auto g = at.map([&](int j) { return gradient_scale * raw[j]; });
          const auto first =
              at.map([&](int j) { return m0[j] + one_minus_beta1 * (g[j] - m0[j]); });
          const auto second =
              at.map([&](int j) { return beta2 * v0[j] + one_minus_beta2 * g[j] * g[j]; });
          at.assign(firsts, first);
          at.assign(seconds, second);
          at.store(weights, [&](int j) {
            const float denominator = Kokkos::sqrt(second[j]) / root_correction2 + eps;
            return keep * w[j] - step_size * first[j] / denominator;
          });
        });
      });
}

}  // namespace vlmark::kernels
