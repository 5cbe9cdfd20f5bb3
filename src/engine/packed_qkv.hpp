#pragma once

#include <cmath>

#include "kernels/attention.hpp"
#include "src/model/ops.hpp"

namespace vlmark::engine {

inline kernels::AttentionShape shape_of(const model::AttentionSpec& spec) {
  return {spec.heads, spec.kv_heads, spec.head_dim, spec.causal,
          static_cast<float>(1 / std::sqrt(static_cast<double>(spec.head_dim)))};
}

/// q, k and v as column blocks of one packed matrix.
template <class T>
struct Packed {
  Packed(const kernels::Mat<T>& qkv, const model::AttentionSpec& spec)
      : q(kernels::columns(qkv, 0, static_cast<int>(spec.q_width()))),
        k(kernels::columns(qkv, static_cast<int>(spec.q_width()),
                           static_cast<int>(spec.q_width() + spec.kv_width()))),
        v(kernels::columns(qkv, static_cast<int>(spec.q_width() + spec.kv_width()),
                           static_cast<int>(spec.qkv_width()))) {}
  kernels::Mat<T> q, k, v;
};

}  // namespace vlmark::engine
