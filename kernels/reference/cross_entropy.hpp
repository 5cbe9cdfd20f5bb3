#pragma once

#include "kernels/reference/types.hpp"

namespace vlmark::kernels::reference {

struct CrossEntropy {
  Values losses;    // [rows] negative log-likelihood, not scaled
  Values d_logits;  // [rows, vocab] gradient of scale * sum of the losses
};

/// logits: [rows, vocab]; targets: [rows], each in [0, vocab).
CrossEntropy softmax_cross_entropy(Input logits, std::span<const int> targets, int vocab,
                                   double scale);

}  // namespace vlmark::kernels::reference
