#include "kernels/reference/linear_cross_entropy.hpp"

#include "kernels/reference/cross_entropy.hpp"
#include "kernels/reference/gemm.hpp"

namespace vlmark::kernels::reference {

LinearCrossEntropy linear_cross_entropy(Input h, Input w, std::span<const int> targets, int hidden,
                                        double scale) {
  const int rows = static_cast<int>(targets.size());
  const int vocab = static_cast<int>(w.size()) / hidden;
  const Values logits = gemm(false, true, rows, vocab, hidden, h, w);
  const CrossEntropy head = softmax_cross_entropy(logits, targets, vocab, scale);
  return {head.losses, gemm(false, false, rows, hidden, vocab, head.d_logits, w),
          gemm(true, false, vocab, hidden, rows, head.d_logits, h)};
}

}  // namespace vlmark::kernels::reference
