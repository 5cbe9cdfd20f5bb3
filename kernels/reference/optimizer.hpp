#pragma once

#include "kernels/reference/types.hpp"

namespace vlmark::kernels::reference {

/// Settings of one AdamW step; the meaning of kernels::AdamW.
struct AdamW {
  double lr, beta1, beta2, eps, weight_decay, bias_correction1, bias_correction2;
};

/// Loshchilov & Hutter, arXiv:1711.05101, algorithm 2, in place on parameters, m and v.
void adamw(const AdamW& step, Input gradient, double gradient_scale, std::span<double> parameters,
           std::span<double> m, std::span<double> v);

}  // namespace vlmark::kernels::reference
