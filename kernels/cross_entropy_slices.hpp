#pragma once

#include "kernels/types.hpp"

namespace vlmark::kernels {

// Softmax cross-entropy where the vocabulary is cut into slices that different ranks hold
// (Shoeybi et al., arXiv:1909.08053, section 3). Per slice r, with m_r its maximum:
//
//     m = max_r m_r,   s_r = sum_{v in r} exp(l[t,v] - m),   s = ((s_0 + s_1) + ...)
//     loss[t] = log s + m - l[t,target],   d l[t,v] = scale (exp(l[t,v] - m) / s - [v = target])
//
// Three kernels with an exchange of m_r after the first and of s_r and l[t,target] after the second.
// All ranks form the same m, s and loss from the same numbers in rank order. Arguments:
//
// | argument           | shape         | meaning                                             |
// |--------------------|---------------|-----------------------------------------------------|
// | logits             | [rows, slice] | fp32, the slice's own                               |
// | targets            | [rows]        | in the whole vocabulary                             |
// | first              | scalar        | vocabulary index of the slice's first column        |
// | maxima             | [ranks, rows] | m_r                                                 |
// | sums               | [ranks, rows] | s_r                                                 |
// | target_logits      | [ranks, rows] | l[t,target] where it lies in slice r, else 0        |
//
// All throw ShapeError. A slice may be empty. Costs together: those of softmax_cross_entropy.

/// maximum[t] = m_r and target_logit[t] of this slice. [rows] each.
void slice_maximum(const Exec& exec, Mat<const float> logits, Vec<const int> targets, int first,
                   Vec<float> maximum, Vec<float> target_logit);

/// sum[t] = s_r of this slice; with `keep` the exponentials take the place of the logits.
void slice_exponentials(const Exec& exec, Mat<float> logits, Mat<const float> maxima, bool keep,
                        Vec<float> sum);

/// The losses, not scaled.
void slice_losses(const Exec& exec, Mat<const float> maxima, Mat<const float> sums,
                  Mat<const float> target_logits, Vec<float> losses);

/// Kept exponentials become d logits.
void slice_gradient(const Exec& exec, Mat<float> exponentials, Vec<const int> targets, int first,
                    Mat<const float> sums, float scale);

}  // namespace vlmark::kernels
