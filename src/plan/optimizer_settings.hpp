#pragma once

namespace vlmark::plan {

/// AdamW (Loshchilov & Hutter, arXiv:1711.05101, algorithm 2) and clipping.
struct OptimizerSettings {
  double beta1 = 0.9, beta2 = 0.95, eps = 1e-8;
  double weight_decay = 0.1;  ///< on tensors of two or more dimensions
  double clip_norm = 1.0;     ///< factor = min(1, clip_norm / (norm + 1e-6))
};

}  // namespace vlmark::plan
