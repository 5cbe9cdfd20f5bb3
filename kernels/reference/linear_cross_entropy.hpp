#pragma once

#include "kernels/reference/types.hpp"

namespace vlmark::kernels::reference {

struct LinearCrossEntropy {
  Values losses;  // [rows]
  Values dh;      // [rows, hidden] gradient of scale * sum of the losses
  Values dw;      // [vocab, hidden]
};

/// h: [rows, hidden]; w: [vocab, hidden]; targets: [rows]. All logits at once.
LinearCrossEntropy linear_cross_entropy(Input h, Input w, std::span<const int> targets, int hidden,
                                        double scale);

}  // namespace vlmark::kernels::reference
