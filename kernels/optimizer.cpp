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

/// What one element needs of a step. PyTorch forms these in double and rounds each once.
struct Coefficients {
  float gradient_scale, keep, one_minus_beta1, beta2, one_minus_beta2, step_size, root_correction2,
      eps;

  Coefficients(const AdamW& s, float scale)
      : gradient_scale(scale),
        keep(static_cast<float>(1 - s.lr * s.weight_decay)),
        one_minus_beta1(static_cast<float>(1 - s.beta1)),
        beta2(static_cast<float>(s.beta2)),
        one_minus_beta2(static_cast<float>(1 - s.beta2)),
        step_size(static_cast<float>(s.lr / s.bias_correction1)),
        root_correction2(static_cast<float>(std::sqrt(s.bias_correction2))),
        eps(static_cast<float>(s.eps)) {}

  KOKKOS_INLINE_FUNCTION float first(float m, float g) const {
    return m + one_minus_beta1 * (g - m);
  }
  KOKKOS_INLINE_FUNCTION float second(float v, float g) const {
    return beta2 * v + one_minus_beta2 * g * g;
  }
  KOKKOS_INLINE_FUNCTION float parameter(float p, float first, float second) const {
    const float denominator = Kokkos::sqrt(second) / root_correction2 + eps;
    return keep * p - step_size * first / denominator;
  }
};

template <class T>
void require_shapes(const char* parameters, long n, Vec<T> p, Vec<T> m, Vec<T> v) {
  require_shape("adamw", parameters, p, n);
  require_shape("adamw", "m", m, n);
  require_shape("adamw", "v", v, n);
}

}  // namespace

void adamw(const Exec& exec, const AdamW& step, Vec<const float> gradient, float gradient_scale,
           Vec<float> master, Vec<float> m, Vec<float> v) {
  require_shapes("master", static_cast<long>(gradient.extent(0)), master, m, v);
  require_valid(step, gradient_scale);
  const Coefficients c(step, gradient_scale);
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
          const auto g = at.map([&](int j) { return c.gradient_scale * raw[j]; });
          const auto first = at.map([&](int j) { return c.first(m0[j], g[j]); });
          const auto second = at.map([&](int j) { return c.second(v0[j], g[j]); });
          at.assign(firsts, first);
          at.assign(seconds, second);
          at.store(weights, [&](int j) { return c.parameter(w[j], first[j], second[j]); });
        });
      });
}

void adamw_rounded(const Exec& exec, const AdamW& step, Vec<const bf16> gradient,
                   float gradient_scale, Vec<bf16> parameters, Vec<bf16> m, Vec<bf16> v,
                   const RoundingBits& random) {
  require_shapes("parameters", static_cast<long>(gradient.extent(0)), parameters, m, v);
  require_valid(step, gradient_scale);
  const Coefficients c(step, gradient_scale);
  for_each_chunk(
      "vlmark::adamw_bf16", exec, gradient.extent(0),
      KOKKOS_LAMBDA(const Team& team, std::size_t begin, int count) {
        random.for_each_row(begin, count, [&](int from, int length, std::uint64_t counter) {
          const std::size_t at = begin + static_cast<std::size_t>(from);
          const bf16* gradients = gradient.data() + at;
          bf16 *weights = parameters.data() + at, *firsts = m.data() + at, *seconds = v.data() + at;
          for_each(team, length, [=](int i) {
            const float g = c.gradient_scale * widen(gradients[i]);
            const float first = c.first(widen(firsts[i]), g),
                        second = c.second(widen(seconds[i]), g);
            const auto bits = random.random.block(counter + static_cast<std::uint64_t>(i));
            weights[i].bits =
                round_stochastic(c.parameter(widen(weights[i]), first, second), bits[1] & 0xffffu)
                    .bits;
            firsts[i].bits = round_stochastic(first, bits[0] & 0xffffu).bits;
            seconds[i].bits = round_stochastic(second, bits[0] >> 16).bits;
          });
        });
      });
}

}  // namespace vlmark::kernels
