#pragma once

#include "kernels/stochastic_rounding.hpp"
#include "kernels/types.hpp"

namespace vlmark::kernels {

/// Settings of one AdamW step, in double like PyTorch's Python scalars.
struct AdamW {
  double lr = 0;                ///< learning rate of this step, >= 0
  double beta1 = 0.9;           ///< decay of the first moment, in [0, 1)
  double beta2 = 0.999;         ///< decay of the second moment, in [0, 1)
  double eps = 1e-8;            ///< added to the root of the second moment, >= 0
  double weight_decay = 0;      ///< decoupled, >= 0
  double bias_correction1 = 1;  ///< 1 - beta1^step, in (0, 1]
  double bias_correction2 = 1;  ///< 1 - beta2^step, in (0, 1]
};

/// One AdamW step on a slice, with the arithmetic of torch.optim.AdamW in fp32.
///
///     g = gradient_scale * gradient;   p *= 1 - lr * weight_decay
///     m += (1 - beta1) (g - m);        v = beta2 v + (1 - beta2) g^2
///     p -= lr / bias_correction1 * m / (sqrt(v) / sqrt(bias_correction2) + eps)
///
/// Source: Loshchilov & Hutter, arXiv:1711.05101, algorithm 2, in PyTorch's order of operations.
/// The gradient is scaled first (clipping, mean over tokens). Parameters of another storage type
/// are refreshed from `master` by convert().
///
/// | argument              | shape | meaning                  |
/// |-----------------------|-------|--------------------------|
/// | gradient              | [n]   | fp32                     |
/// | master (in and out)   | [n]   | fp32 parameters          |
/// | m, v (in and out)     | [n]   | first and second moments |
///
/// Throws ShapeError, ValueError. Cost: 14*n flop, 28*n byte.
void adamw(const Exec& exec, const AdamW& step, Vec<const float> gradient, float gradient_scale,
           Vec<float> master, Vec<float> m, Vec<float> v);

/// The same step on states in bf16 without a master copy: computed in fp32 from the stored values,
/// then p, m and v are each rounded stochastically (Gupta et al., arXiv:1502.02551, section 3). The
/// parameter moves by the unrounded moments. `random` is of element 0; element i takes bits 0-15,
/// 16-31 and 32-47 of its block for m, v and p.
///
/// An update below half a unit of p's last place would be lost by rounding to nearest; so would the
/// decay of v, by 1 - beta2 a step, where that is below 2^-9. Here both arrive on average.
///
/// Throws ShapeError, ValueError. Cost: 14*n flop and one Philox block an element, 14*n byte.
void adamw_rounded(const Exec& exec, const AdamW& step, Vec<const bf16> gradient,
                   float gradient_scale, Vec<bf16> parameters, Vec<bf16> m, Vec<bf16> v,
                   const RoundingBits& random);

}  // namespace vlmark::kernels
