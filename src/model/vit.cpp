#include "src/model/vit.hpp"

namespace vlmark::model {

AttentionSpec Vision::attention_spec() const {
  const plan::VisionConfig& v = model_.vision;
  return {table_.vit_heads, table_.vit_heads, v.head_dim(), /*causal=*/false};
}

TokenBlocks Vision::patches(const Ops& ops, const MicroBatch& batch) const {
  const long unit = model_.vision.merge_unit();
  return ops.blocks(batch.shape.patches() / unit, unit);
}

void Vision::patch_embed(Ops& ops, const MicroBatch& batch, bool keep, VisionPass& pass) const {
  const plan::VisionConfig& v = model_.vision;
  pass.rope_table = ops.vision_rope_table(batch.vit_hw, v.head_dim());
  const Block mine = patches(ops, batch).local();
  const auto values = static_cast<std::size_t>(v.patch_values());
  pass.pixels = ops.load_pixels(std::span(batch.pixel_values)
                                    .subspan(static_cast<std::size_t>(mine.begin) * values,
                                             static_cast<std::size_t>(mine.size()) * values),
                                mine.size(), v.patch_values());
  pass.stream = ops.linear(pass.pixels, table_.patch_embed, DType::f32);
  if (keep && ops.trainable().vit)
    pass.blocks.resize(table_.vit_blocks.size());
  else
    pass.pixels = {};
}

void Vision::block(Ops& ops, int b, const MicroBatch& batch, plan::Recompute recompute, bool keep,
                   VisionPass& pass) const {
  const bool saved = keep && ops.trainable().vit;
  branches(ops, b, batch, pass.rope_table, pass.stream, recompute,
           saved ? &pass.blocks[static_cast<std::size_t>(b)] : nullptr);
}

void Vision::branches(Ops& ops, int b, const MicroBatch& batch, const Tensor& rope_table,
                      Tensor& stream, plan::Recompute recompute, VitBlockSaved* saved) const {
  const plan::VitBlock& w = table_.vit_blocks[static_cast<std::size_t>(b)];
  const float eps = model_.vision.norm_eps;
  const AttentionSpec spec = attention_spec();
  const TokenBlocks blocks = patches(ops, batch);
  const bool keep = saved && !recompute.layer;
  if (saved && recompute.layer) saved->input = ops.copied(stream);
  VitBlockSaved s;
  s.x = ops.rounded(stream);
  s.n1 = ops.layer_norm(s.x, w.norm1, eps, s.statistics1);
  if (!keep) s.x = {};
  s.qkv = ops.gather_linear(s.n1, blocks, w.qkv);
  if (!keep || recompute.norms) s.n1 = {};
  ops.rotate(s.qkv, rope_table, 2 * spec.heads, spec.head_dim, /*inverse=*/false);
  s.a = ops.attention(s.qkv, spec, batch.vit_cu_seqlens, s.log_sum);
  if (!keep) s.qkv = {};
  ops.linear_scatter(s.a, blocks, w.proj, stream);
  if (!keep || recompute.attention) s.a = {}, s.log_sum = {};
  s.h = ops.rounded(stream);
  s.n2 = ops.layer_norm(s.h, w.norm2, eps, s.statistics2);
  if (!keep) s.h = {};
  s.f = ops.gather_linear(s.n2, blocks, w.fc1);
  if (!keep || recompute.norms) s.n2 = {};
  s.g = ops.activation(Activation::quick_gelu, s.f);
  if (!keep || recompute.up_projection) s.f = {};
  ops.linear_scatter(s.g, blocks, w.fc2, stream);
  if (!keep || recompute.activation) s.g = {};
  if (keep) *saved = std::move(s);
}

void Vision::block_backward(Ops& ops, int b, const MicroBatch& batch, VisionPass& pass) const {
  const plan::VitBlock& w = table_.vit_blocks[static_cast<std::size_t>(b)];
  VitBlockSaved s = std::move(pass.blocks[static_cast<std::size_t>(b)]);
  Tensor& d_stream = pass.stream;
  const float eps = model_.vision.norm_eps;
  const AttentionSpec spec = attention_spec();
  const TokenBlocks blocks = patches(ops, batch);
  if (!s.input.empty()) {
    Tensor stream = std::move(s.input);
    branches(ops, b, batch, pass.rope_table, stream, {}, &s);
  }
  if (s.f.empty()) {
    if (s.n2.empty()) s.n2 = ops.layer_norm(s.h, w.norm2, eps, s.statistics2);
    s.f = ops.gather_linear(s.n2, blocks, w.fc1);
  }
  if (s.g.empty()) s.g = ops.activation(Activation::quick_gelu, s.f);
  Tensor d = ops.linear_scatter_backward(ops.rounded(d_stream), s.g, blocks, w.fc2);
  s.g = {};
  d = ops.activation_backward(Activation::quick_gelu, d, s.f);
  s.f = {};
  if (s.n2.empty()) s.n2 = ops.layer_norm(s.h, w.norm2, eps, s.statistics2);
  d = ops.gather_linear_backward(d, s.n2, blocks, w.fc1);
  s.n2 = {};
  ops.layer_norm_backward(d, s.h, w.norm2, s.statistics2, d_stream);
  s.h = {};
  if (s.a.empty()) s.a = ops.attention(s.qkv, spec, batch.vit_cu_seqlens, s.log_sum);
  d = ops.linear_scatter_backward(ops.rounded(d_stream), s.a, blocks, w.proj);
  d = ops.attention_backward(d, s.a, s.qkv, spec, batch.vit_cu_seqlens, s.log_sum);
  s.a = {}, s.qkv = {};
  ops.rotate(d, pass.rope_table, 2 * spec.heads, spec.head_dim, /*inverse=*/true);
  if (s.n1.empty()) s.n1 = ops.layer_norm(s.x, w.norm1, eps, s.statistics1);
  d = ops.gather_linear_backward(d, s.n1, blocks, w.qkv);
  s.n1 = {};
  ops.layer_norm_backward(d, s.x, w.norm1, s.statistics1, d_stream);
}

Tensor Vision::merger(Ops& ops, bool keep, VisionPass& pass) const {
  const long unit = model_.vision.merge_unit();
  if (pass.blocks.empty()) pass.rope_table = {};
  MergerSaved s;
  s.x = ops.rounded(pass.stream);
  s.joined = ops.layer_norm(s.x, table_.merger_norm, model_.vision.norm_eps, s.statistics);
  // Four consecutive rows are one 2 x 2 block: joining them is a matter of reading.
  s.joined.reshape(s.x.rows() / unit, s.x.columns() * unit);
  s.f = ops.linear(s.joined, table_.merger_fc1);
  s.g = ops.activation(Activation::gelu, s.f);
  Tensor y = ops.linear(s.g, table_.merger_fc2);
  pass.stream = {};
  if (keep) pass.merger = std::move(s);
  return y;
}

void Vision::merger_backward(Ops& ops, const Tensor& dy, VisionPass& pass) const {
  MergerSaved s = std::move(pass.merger);
  Tensor d = ops.linear_backward(dy, s.g, table_.merger_fc2);
  s.g = {};
  d = ops.activation_backward(Activation::gelu, d, s.f);
  s.f = {};
  d = ops.linear_backward(d, s.joined, table_.merger_fc1);
  d.reshape(s.x.rows(), s.x.columns());
  pass.stream = ops.zero_stream(s.x.rows(), s.x.columns());
  ops.layer_norm_backward(d, s.x, table_.merger_norm, s.statistics, pass.stream);
}

void Vision::patch_embed_backward(Ops& ops, VisionPass& pass) const {
  ops.linear_backward_weight(ops.rounded(pass.stream), pass.pixels, table_.patch_embed);
  pass = {};
}

}  // namespace vlmark::model
