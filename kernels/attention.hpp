#pragma once

#include <cstdint>
#include <vector>

#include "kernels/types.hpp"

namespace vlmark::kernels {

/// Scaled dot-product attention with grouped query heads.
struct AttentionShape {
  int heads = 1;     ///< query heads
  int kv_heads = 1;  ///< key and value heads, each shared by heads / kv_heads query heads
  int head_dim = 8;  ///< multiple of 8, at most 256
  bool causal = false;
  float scale = 1;  ///< usually head_dim^-1/2
};

/// Model FLOPs of one forward pass; the backward pass counts twice that.
///
///     4 heads head_dim sum_s pairs_s,    pairs_s = lq lk,   causal: l lk - l^2 / 2
///
/// where lq and lk are the lengths of segment s and l = min(lq, lk). The diagonal counts half, so
/// that lq = lk gives 2 heads head_dim lq^2. Kept in integers: heads head_dim (4 l lk - 2 l^2).
std::uint64_t attention_flops(const AttentionShape& shape, const std::vector<int>& cu_seqlens_q,
                              const std::vector<int>& cu_seqlens_k);

/// Attention of packed segments of variable length, forward pass; no score matrix is stored.
///
///     out[i,h] = sum_j p_ij v[j,g],   p_ij = exp(scale q[i,h].k[j,g] - log_sum[i,h]),
///     log_sum[i,h] = log sum_j exp(scale q[i,h].k[j,g]),     g = h / (heads / kv_heads)
///
/// j runs over the keys of the segment of i. Causal is aligned to the end of the keys: query i of a
/// segment of lq queries and lk keys sees j <= i + lk - lq, so that the same kernel serves
/// training, prefill and decoding with a cache. A query that sees no key gives out = 0, log_sum =
/// -inf. Source: Dao et al., arXiv:2205.14135 (tiles, running maximum); arXiv:2307.08691 (division
/// at the end). Scores, softmax and sums in fp32 for every T. Bits do not depend on threads, team
/// size, or on what else is packed beside a segment.
///
/// | argument        | shape                     | meaning                                    |
/// |-----------------|---------------------------|--------------------------------------------|
/// | q               | [tq, heads * head_dim]    | queries; rows may be strided               |
/// | k, v            | [tk, kv_heads * head_dim] | keys and values; rows may be strided       |
/// | cu_seqlens_q, _k| [segments + 1]            | first row of each segment; last is tq, tk  |
/// | out             | [tq, heads * head_dim]    | result                                     |
/// | log_sum (out)   | [tq, heads]               | fp32, needed by attention_backward         |
///
/// Books attention_flops on the current CountedPart. Throws ShapeError, ValueError (also for
/// cu_seqlens that do not rise from 0 to the number of rows).
/// Cost: attention_flops; q, k, v, out once, k and v again for every query tile.
void attention(const Exec& exec, const AttentionShape& shape, Mat<const float> q,
               Mat<const float> k, Mat<const float> v, Vec<const int> cu_seqlens_q,
               Vec<const int> cu_seqlens_k, Mat<float> out, Mat<float> log_sum);
void attention(const Exec& exec, const AttentionShape& shape, Mat<const bf16> q, Mat<const bf16> k,
               Mat<const bf16> v, Vec<const int> cu_seqlens_q, Vec<const int> cu_seqlens_k,
               Mat<bf16> out, Mat<float> log_sum);

/// Gradients of `attention`.
///
///     dv[j] = sum p_ij dout[i],  ds_ij = p_ij (dout[i].v[j] - delta_i),  delta_i = dout[i].out[i],
///     dq[i] = scale sum_j ds_ij k[j],    dk[j] = scale sum ds_ij q[i]
///
/// where the sums of dk and dv also run over the query heads of a group. p_ij is recomputed from
/// log_sum. Two passes, over query tiles for dq and over key tiles for dk and dv: no atomics, bits
/// independent of threads and team size.
///
/// | argument         | shape                     | meaning                                    |
/// |------------------|---------------------------|--------------------------------------------|
/// | dout, out        | [tq, heads * head_dim]    | gradient of and result of the forward pass |
/// | q, k, v, cu_*    | as in attention           |                                            |
/// | log_sum          | [tq, heads]               | from attention                             |
/// | dq (out)         | [tq, heads * head_dim]    | overwritten; rows may be strided           |
/// | dk, dv (out)     | [tk, kv_heads * head_dim] | overwritten; rows may be strided           |
/// | delta (scratch)  | [tq, heads]               | fp32                                       |
///
/// dq, dk and dv may be column blocks of one matrix. Books twice attention_flops. Throws
/// ShapeError, ValueError.
void attention_backward(const Exec& exec, const AttentionShape& shape, Mat<const float> dout,
                        Mat<const float> out, Mat<const float> q, Mat<const float> k,
                        Mat<const float> v, Mat<const float> log_sum, Vec<const int> cu_seqlens_q,
                        Vec<const int> cu_seqlens_k, Mat<float> dq, Mat<float> dk, Mat<float> dv,
                        Mat<float> delta);
void attention_backward(const Exec& exec, const AttentionShape& shape, Mat<const bf16> dout,
                        Mat<const bf16> out, Mat<const bf16> q, Mat<const bf16> k,
                        Mat<const bf16> v, Mat<const float> log_sum, Vec<const int> cu_seqlens_q,
                        Vec<const int> cu_seqlens_k, Mat<bf16> dq, Mat<bf16> dk, Mat<bf16> dv,
                        Mat<float> delta);

}  // namespace vlmark::kernels
