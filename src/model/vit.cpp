#include "src/model/vit.hpp"

#include "src/base/counters.hpp"

namespace vlmark::model {

AttentionSpec Vision::attention_spec() const {
  const plan::VisionConfig& v = model_.vision;
  return {v.heads, v.heads, v.head_dim(), /*causal=*/false};
}

void Vision::block(Ops& ops, const plan::VitBlock& w, const MicroBatch& batch,
                   const Tensor& rope_table, Tensor& stream, plan::Recompute recompute,
                   VitBlockSaved* saved) const {
  const float eps = model_.vision.norm_eps;
  const AttentionSpec spec = attention_spec();
  VitBlockSaved s;
  s.x = ops.rounded(stream);
  s.n1 = ops.layer_norm(s.x, w.norm1, eps, s.statistics1);
  if (!saved) s.x = {};
  s.qkv = ops.linear(s.n1, w.qkv);
  if (!saved || recompute.norms) s.n1 = {};
  ops.rotate(s.qkv, rope_table, 2 * spec.heads, spec.head_dim, /*inverse=*/false);
  s.a = ops.attention(s.qkv, spec, batch.vit_cu_seqlens, s.log_sum);
  if (!saved) s.qkv = {};
  ops.add_linear(s.a, w.proj, stream);
  if (!saved) s.a = {};
  s.h = ops.rounded(stream);
  s.n2 = ops.layer_norm(s.h, w.norm2, eps, s.statistics2);
  if (!saved) s.h = {};
  s.f = ops.linear(s.n2, w.fc1);
  if (!saved || recompute.norms) s.n2 = {};
  s.g = ops.activation(Activation::quick_gelu, s.f);
  if (!saved) s.f = {};
  ops.add_linear(s.g, w.fc2, stream);
  if (!saved || recompute.activation) s.g = {};
  if (saved) *saved = std::move(s);
}

void Vision::block_backward(Ops& ops, const plan::VitBlock& w, const MicroBatch& batch,
                            const Tensor& rope_table, Tensor& d_stream, VitBlockSaved s) const {
  const float eps = model_.vision.norm_eps;
  const AttentionSpec spec = attention_spec();
  if (s.g.empty()) s.g = ops.activation(Activation::quick_gelu, s.f);
  Tensor d = ops.linear_backward(ops.rounded(d_stream), s.g, w.fc2);
  s.g = {};
  d = ops.activation_backward(Activation::quick_gelu, d, s.f);
  s.f = {};
  if (s.n2.empty()) s.n2 = ops.layer_norm(s.h, w.norm2, eps, s.statistics2);
  d = ops.linear_backward(d, s.n2, w.fc1);
  s.n2 = {};
  ops.layer_norm_backward(d, s.h, w.norm2, s.statistics2, d_stream);
  s.h = {};
  d = ops.linear_backward(ops.rounded(d_stream), s.a, w.proj);
  d = ops.attention_backward(d, s.a, s.qkv, spec, batch.vit_cu_seqlens, s.log_sum);
  s.a = {}, s.qkv = {};
  ops.rotate(d, rope_table, 2 * spec.heads, spec.head_dim, /*inverse=*/true);
  if (s.n1.empty()) s.n1 = ops.layer_norm(s.x, w.norm1, eps, s.statistics1);
  d = ops.linear_backward(d, s.n1, w.qkv);
  s.n1 = {};
  ops.layer_norm_backward(d, s.x, w.norm1, s.statistics1, d_stream);
}

Tensor Vision::merger(Ops& ops, const Tensor& stream, VisionSaved* saved) const {
  const CountedPart part(Part::merger);
  const long unit = model_.vision.merge_unit();
  MergerSaved s;
  s.x = ops.rounded(stream);
  s.joined = ops.layer_norm(s.x, table_.merger_norm, model_.vision.norm_eps, s.statistics);
  // Four consecutive rows are one 2 x 2 block: joining them is a matter of reading.
  s.joined.reshape(s.x.rows() / unit, s.x.columns() * unit);
  s.f = ops.linear(s.joined, table_.merger_fc1);
  s.g = ops.activation(Activation::gelu, s.f);
  Tensor y = ops.linear(s.g, table_.merger_fc2);
  if (saved) saved->merger = std::move(s);
  return y;
}

Tensor Vision::merger_backward(Ops& ops, const Tensor& dy, MergerSaved s) const {
  const CountedPart part(Part::merger);
  Tensor d = ops.linear_backward(dy, s.g, table_.merger_fc2);
  s.g = {};
  d = ops.activation_backward(Activation::gelu, d, s.f);
  s.f = {};
  d = ops.linear_backward(d, s.joined, table_.merger_fc1);
  d.reshape(s.x.rows(), s.x.columns());
  Tensor d_stream = ops.zero_stream(s.x.rows(), s.x.columns());
  ops.layer_norm_backward(d, s.x, table_.merger_norm, s.statistics, d_stream);
  return d_stream;
}

Tensor Vision::forward(Ops& ops, const MicroBatch& batch, plan::Recompute recompute,
                       VisionSaved* saved) const {
  const CountedPart part(Part::vit);
  const plan::VisionConfig& v = model_.vision;
  Tensor rope_table = ops.vision_rope_table(batch.vit_hw, v.head_dim());
  Tensor pixels = ops.load_pixels(batch.pixel_values, batch.shape.patches(), v.patch_values());
  Tensor stream = ops.linear(pixels, table_.patch_embed, DType::f32);
  // With a frozen ViT only the merger has a backward pass.
  const bool keep_blocks = saved && ops.trainable().vit;
  if (!keep_blocks) pixels = {};
  for (const plan::VitBlock& w : table_.vit_blocks) {
    VitBlockSaved s;
    block(ops, w, batch, rope_table, stream, recompute, keep_blocks ? &s : nullptr);
    if (keep_blocks) saved->blocks.push_back(std::move(s));
  }
  if (keep_blocks) {
    saved->pixels = std::move(pixels);
    saved->rope_table = std::move(rope_table);
  }
  rope_table = {};
  return merger(ops, stream, saved);
}

void Vision::backward(Ops& ops, const MicroBatch& batch, const Tensor& dy,
                      VisionSaved saved) const {
  const CountedPart part(Part::vit);
  Tensor d_stream = merger_backward(ops, dy, std::move(saved.merger));
  if (!ops.trainable().vit) return;
  for (std::size_t b = table_.vit_blocks.size(); b-- > 0;)
    block_backward(ops, table_.vit_blocks[b], batch, saved.rope_table, d_stream,
                   std::move(saved.blocks[b]));
  ops.linear_backward_weight(ops.rounded(d_stream), saved.pixels, table_.patch_embed);
}

}  // namespace vlmark::model
