#pragma once

#include "kernels/attention_kernels.hpp"

// The passes behind `attention` and `attention_backward`; arguments have been checked. `tiles` is
// count_tiles of the segments that the pass walks over. Instantiated for float and bf16.

namespace vlmark::kernels {

template <class T>
void attention_forward(const Exec& exec, const AttentionShape& shape, const Mat<const T>& q,
                       const Mat<const T>& k, const Mat<const T>& v, const Vec<const int>& cu_q,
                       const Vec<const int>& cu_k, int tiles, const Mat<T>& out,
                       const Mat<float>& log_sum);

/// What both passes of the backward read.
template <class T>
struct AttentionGradients {
  Mat<const T> dout, q, k, v;
  Mat<const float> log_sum, delta;
  Vec<const int> cu_q, cu_k;
};

/// dq, one team for each query tile.
template <class T>
void attention_backward_queries(const Exec& exec, const AttentionShape& shape,
                                const AttentionGradients<T>& in, int tiles, const Mat<T>& dq);

/// dk and dv, one team for each key tile.
template <class T>
void attention_backward_keys(const Exec& exec, const AttentionShape& shape,
                             const AttentionGradients<T>& in, int tiles, const Mat<T>& dk,
                             const Mat<T>& dv);

/// delta[i,h] = dout[i,h] . out[i,h]
template <class T>
void attention_delta(const Exec& exec, const AttentionShape& shape, const Mat<const T>& dout,
                     const Mat<const T>& out, const Mat<float>& delta);

}  // namespace vlmark::kernels
