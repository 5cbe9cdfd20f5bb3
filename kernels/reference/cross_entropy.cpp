#include "kernels/reference/cross_entropy.hpp"

#include <algorithm>
#include <cmath>

namespace vlmark::kernels::reference {

CrossEntropy softmax_cross_entropy(Input logits, std::span<const int> targets, int vocab,
                                   double scale) {
  CrossEntropy out{Values(targets.size()), Values(logits.size())};
  for (std::size_t t = 0; t < targets.size(); ++t) {
    const Input row = logits.subspan(t * vocab, vocab);
    const double largest = *std::max_element(row.begin(), row.end());
    double sum = 0;
    for (const double logit : row) sum += std::exp(logit - largest);
    out.losses[t] = std::log(sum) + largest - row[targets[t]];
    for (int v = 0; v < vocab; ++v)
      out.d_logits[t * vocab + v] =
          scale * (std::exp(row[v] - largest) / sum - (v == targets[t] ? 1 : 0));
  }
  return out;
}

}  // namespace vlmark::kernels::reference
