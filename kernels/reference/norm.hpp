#pragma once

#include "kernels/reference/types.hpp"

namespace vlmark::kernels::reference {

/// y[t,h] = w[h] x[t,h] / sqrt(mean_h x[t,h]^2 + eps); x: [tokens, hidden], w: [hidden].
Values rms_norm(Input x, Input w, int hidden, double eps);

struct RmsNormGradients {
  Values dx;  // [tokens, hidden]
  Values dw;  // [hidden]
};
RmsNormGradients rms_norm_backward(Input dy, Input x, Input w, int hidden, double eps);

/// y[t,h] = w[h] (x[t,h] - mean_t) / sqrt(variance_t + eps) + b[h].
Values layer_norm(Input x, Input w, Input b, int hidden, double eps);

struct LayerNormGradients {
  Values dx;      // [tokens, hidden]
  Values dw, db;  // [hidden]
};
LayerNormGradients layer_norm_backward(Input dy, Input x, Input w, int hidden, double eps);

}  // namespace vlmark::kernels::reference
