#pragma once

#include "kernels/types.hpp"

namespace vlmark::kernels {

/// Negative log-likelihood of one target per row, and its gradient in place of the logits.
///
///     loss[t] = log sum_v exp(l[t,v] - m[t]) + m[t] - l[t,target[t]],   m[t] = max_v l[t,v]
///     l[t,v] <- scale * (exp(l[t,v] - m[t]) / sum - [v = target[t]])    if want_gradient
///
/// Source: Goodfellow et al., Deep Learning, section 6.2.2.3. A NaN or infinite logit makes the
/// row's loss NaN or infinite; it is never hidden.
///
/// | argument            | shape         | meaning                                           |
/// |---------------------|---------------|---------------------------------------------------|
/// | logits (in and out) | [rows, vocab] | fp32; become d logits, or stay as they are        |
/// | targets             | [rows]        | in [0, vocab); the caller has checked them        |
/// | scale               | scalar        | d (total loss) / d loss[t], e.g. 1 / supervised   |
/// | losses (out)        | [rows]        | not scaled, nat                                   |
///
/// Throws ShapeError, ValueError. Cost: 4*rows*vocab flop and one exponential each,
/// 12*rows*vocab byte with the gradient (4 read, 8 written), 4*rows*vocab without.
void softmax_cross_entropy(const Exec& exec, Mat<float> logits, Vec<const int> targets, float scale,
                           Vec<float> losses, bool want_gradient);

}  // namespace vlmark::kernels
