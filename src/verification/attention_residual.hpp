#pragma once

#include "kernels/observer.hpp"
#include "src/base/philox.hpp"

namespace vlmark::verification {

/// Largest error that rule V3 lets a row of attention have: 4 u in bf16, u = 2^-8; 2^-14 in fp32,
/// where scores, softmax and sums in fp32 give some 1e-6 and TF32 or bf16 in any of them 2e-4.
double attention_limit(DType type);

/// Worst of `samples` randomly chosen (row, head) of an attention's result, each formed again in
/// double from q, k and v:
///
///     || out[i,h] - sum_j p_ij v[j,g] ||_2 / || sum_j p_ij v[j,g] ||_2
///
/// where j runs over the segment of i, up to i if `causal`: what the model's rule says, whatever the
/// call said. One sample in four is a first or last row of a segment, where masks go wrong.
/// NaN where anything is. Waits for the call's queue. Cost: 4 keys head_dim flop a sample.
double attention_residual(const kernels::AttentionCall& call, bool causal, const Philox& random,
                          int samples, bool staged);

}  // namespace vlmark::verification
