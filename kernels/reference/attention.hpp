#pragma once

#include <span>
#include <vector>

namespace vlmark::kernels::reference {

/// The fields of kernels::AttentionShape.
struct AttentionShape {
  int heads, kv_heads, head_dim;
  bool causal;
  double scale;
};

struct Attention {
  std::vector<double> out;      // [tq, heads * head_dim]
  std::vector<double> log_sum;  // [tq, heads]
};

/// Attention with the row of scores written out. q, k, v dense; cu_* as in kernels/attention.hpp.
Attention attention(const AttentionShape& shape, std::span<const double> q,
                    std::span<const double> k, std::span<const double> v,
                    const std::vector<int>& cu_q, const std::vector<int>& cu_k);

struct AttentionGradients {
  std::vector<double> dq, dk, dv;
};

/// Gradients by the chain rule through the softmax, from the inputs alone.
AttentionGradients attention_backward(const AttentionShape& shape, std::span<const double> dout,
                                      std::span<const double> q, std::span<const double> k,
                                      std::span<const double> v, const std::vector<int>& cu_q,
                                      const std::vector<int>& cu_k);

}  // namespace vlmark::kernels::reference
