#include "src/model/decoder.hpp"

namespace vlmark::model {

void Decoder::forward(Ops& ops, int layer, const MicroBatch& batch, const Tensor& rope_table,
                      Tensor& stream, plan::Recompute recompute, DecoderSaved* saved,
                      KvCache* cache) const {
  const plan::DecoderLayer& w = weights(layer);
  const AttentionSpec spec = attention_spec();
  const float eps = model_.rms_norm_eps;
  const TokenBlocks tokens = ops.blocks(batch.shape.tokens());
  const bool keep = saved && !recompute.layer;
  if (saved && recompute.layer) saved->input = ops.copied(stream);
  DecoderSaved s;
  s.x = ops.rounded(stream);
  s.n1 = ops.rms_norm(s.x, w.norm1, eps, s.scale1);
  if (!keep) s.x = {};
  s.qkv = ops.gather_linear(s.n1, tokens, w.qkv);
  if (!keep || recompute.norms) s.n1 = {};
  ops.rotate(s.qkv, rope_table, spec.heads + spec.kv_heads, spec.head_dim, /*inverse=*/false);
  if (cache)
    s.a = ops.attention_cached(s.qkv, spec, cache->layers[static_cast<std::size_t>(layer)],
                               cache->filled);
  else
    s.a = ops.attention(s.qkv, spec, batch.cu_seqlens, s.log_sum);
  if (!keep) s.qkv = {};
  ops.linear_scatter(s.a, tokens, w.out, stream);
  if (!keep || recompute.attention) s.a = {}, s.log_sum = {};
  s.h = ops.rounded(stream);
  s.n2 = ops.rms_norm(s.h, w.norm2, eps, s.scale2);
  if (!keep) s.h = {};
  s.gate_up = ops.gather_linear(s.n2, tokens, w.gate_up);
  if (!keep || recompute.norms) s.n2 = {};
  s.product = ops.swiglu(s.gate_up);
  if (!keep || recompute.up_projection) s.gate_up = {};
  ops.linear_scatter(s.product, tokens, w.down, stream);
  if (!keep || recompute.activation) s.product = {};
  if (keep) *saved = std::move(s);
}

void Decoder::backward(Ops& ops, int layer, const MicroBatch& batch, const Tensor& rope_table,
                       Tensor& d_stream, DecoderSaved s) const {
  const plan::DecoderLayer& w = weights(layer);
  const AttentionSpec spec = attention_spec();
  const float eps = model_.rms_norm_eps;
  const TokenBlocks tokens = ops.blocks(batch.shape.tokens());
  if (!s.input.empty()) {
    Tensor stream = std::move(s.input);
    forward(ops, layer, batch, rope_table, stream, {}, &s, nullptr);
  }
  if (s.gate_up.empty()) {
    if (s.n2.empty()) s.n2 = ops.rms_norm(s.h, w.norm2, eps, s.scale2);
    s.gate_up = ops.gather_linear(s.n2, tokens, w.gate_up);
  }
  if (s.product.empty()) s.product = ops.swiglu(s.gate_up);
  Tensor d = ops.linear_scatter_backward(ops.rounded(d_stream), s.product, tokens, w.down);
  s.product = {};
  d = ops.swiglu_backward(d, s.gate_up);
  s.gate_up = {};
  if (s.n2.empty()) s.n2 = ops.rms_norm(s.h, w.norm2, eps, s.scale2);
  d = ops.gather_linear_backward(d, s.n2, tokens, w.gate_up);
  s.n2 = {};
  ops.rms_norm_backward(d, s.h, w.norm2, s.scale2, d_stream);
  s.h = {};
  if (s.a.empty()) s.a = ops.attention(s.qkv, spec, batch.cu_seqlens, s.log_sum);
  d = ops.linear_scatter_backward(ops.rounded(d_stream), s.a, tokens, w.out);
  d = ops.attention_backward(d, s.a, s.qkv, spec, batch.cu_seqlens, s.log_sum);
  s.a = {}, s.qkv = {};
  ops.rotate(d, rope_table, spec.heads + spec.kv_heads, spec.head_dim, /*inverse=*/true);
  if (s.n1.empty()) s.n1 = ops.rms_norm(s.x, w.norm1, eps, s.scale1);
  d = ops.gather_linear_backward(d, s.n1, tokens, w.qkv);
  s.n1 = {};
  ops.rms_norm_backward(d, s.x, w.norm1, s.scale1, d_stream);
}

}  // namespace vlmark::model
