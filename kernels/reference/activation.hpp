#pragma once

#include "kernels/reference/types.hpp"

namespace vlmark::kernels::reference {

/// y = x / (1 + exp(-1.702 x)), and dx for the gradient dy of y.
Values quick_gelu(Input x);
Values quick_gelu_backward(Input dy, Input x);

/// y = x/2 (1 + erf(x / sqrt 2)), and dx for the gradient dy of y.
Values gelu_erf(Input x);
Values gelu_erf_backward(Input dy, Input x);

/// y = gate / (1 + exp(-gate)) * up; gate_up: [tokens, 2 width], gate first. dy: [tokens, width];
/// the gradient has the layout of gate_up.
Values swiglu(Input gate_up, int width);
Values swiglu_backward(Input dy, Input gate_up, int width);

}  // namespace vlmark::kernels::reference
