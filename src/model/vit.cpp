#include "src/model/vit.hpp"

#include "src/base/counters.hpp"

namespace vlmark::model {

AttentionSpec Vision::attention_spec() const {
  const plan::VisionConfig& v = model_.vision;
  return {v.heads, v.heads, v.head_dim(), /*causal=*/false};
}

Tensor Vision::block(Ops& ops, const plan::VitBlock& w, const MicroBatch& batch,
                     const Tensor& rope_table, Tensor x, plan::Recompute recompute,
                     VitBlockSaved* saved) const {
  const float eps = model_.vision.norm_eps;
  const AttentionSpec spec = attention_spec();
  VitBlockSaved s;
  s.n1 = ops.layer_norm(x, w.norm1, eps, s.statistics1);
  s.qkv = ops.linear(s.n1, w.qkv);
  if (!saved || recompute.norms) s.n1 = {};
  ops.rotate(s.qkv, rope_table, 2 * spec.heads, spec.head_dim, /*inverse=*/false);
  s.a = ops.attention(s.qkv, spec, batch.vit_cu_seqlens, s.log_sum);
  if (!saved) s.qkv = {};
  s.h = ops.linear_add(s.a, w.proj, x);
  if (saved)
    s.x = std::move(x);
  else
    x = {}, s.a = {};
  s.n2 = ops.layer_norm(s.h, w.norm2, eps, s.statistics2);
  s.f = ops.linear(s.n2, w.fc1);
  if (!saved || recompute.norms) s.n2 = {};
  s.g = ops.activation(Activation::quick_gelu, s.f);
  if (!saved) s.f = {};
  Tensor y = ops.linear_add(s.g, w.fc2, s.h);
  if (!saved || recompute.activation) s.g = {};
  if (saved) *saved = std::move(s);
  return y;
}

Tensor Vision::block_backward(Ops& ops, const plan::VitBlock& w, const MicroBatch& batch,
                              const Tensor& rope_table, Tensor dy, VitBlockSaved s) const {
  const float eps = model_.vision.norm_eps;
  const AttentionSpec spec = attention_spec();
  if (s.g.empty()) s.g = ops.activation(Activation::quick_gelu, s.f);
  Tensor d = ops.linear_backward(dy, s.g, w.fc2);
  s.g = {};
  d = ops.activation_backward(Activation::quick_gelu, d, s.f);
  s.f = {};
  if (s.n2.empty()) s.n2 = ops.layer_norm(s.h, w.norm2, eps, s.statistics2);
  d = ops.linear_backward(d, s.n2, w.fc1);
  s.n2 = {};
  ops.add_layer_norm_backward(dy, d, s.h, w.norm2, s.statistics2);  // now d loss / d h
  s.h = {};
  d = ops.linear_backward(dy, s.a, w.proj);
  d = ops.attention_backward(d, s.a, s.qkv, spec, batch.vit_cu_seqlens, s.log_sum);
  s.a = {}, s.qkv = {};
  ops.rotate(d, rope_table, 2 * spec.heads, spec.head_dim, /*inverse=*/true);
  if (s.n1.empty()) s.n1 = ops.layer_norm(s.x, w.norm1, eps, s.statistics1);
  d = ops.linear_backward(d, s.n1, w.qkv);
  s.n1 = {};
  ops.add_layer_norm_backward(dy, d, s.x, w.norm1, s.statistics1);
  return dy;
}

Tensor Vision::merger(Ops& ops, Tensor x, VisionSaved* saved) const {
  const CountedPart part(Part::merger);
  const long unit = model_.vision.merge_unit();
  MergerSaved s;
  s.joined = ops.layer_norm(x, table_.merger_norm, model_.vision.norm_eps, s.statistics);
  // Four consecutive rows are one 2 x 2 block: joining them is a matter of reading.
  s.joined.reshape(x.rows() / unit, x.columns() * unit);
  s.f = ops.linear(s.joined, table_.merger_fc1);
  s.g = ops.activation(Activation::gelu, s.f);
  Tensor y = ops.linear(s.g, table_.merger_fc2);
  s.x = std::move(x);
  if (saved) saved->merger = std::move(s);
  return y;
}

Tensor Vision::merger_backward(Ops& ops, Tensor dy, MergerSaved s) const {
  const CountedPart part(Part::merger);
  Tensor d = ops.linear_backward(dy, s.g, table_.merger_fc2);
  dy = {}, s.g = {};
  d = ops.activation_backward(Activation::gelu, d, s.f);
  s.f = {};
  d = ops.linear_backward(d, s.joined, table_.merger_fc1);
  d.reshape(s.x.rows(), s.x.columns());
  return ops.layer_norm_backward(d, s.x, table_.merger_norm, s.statistics);
}

Tensor Vision::forward(Ops& ops, const MicroBatch& batch, plan::Recompute recompute,
                       VisionSaved* saved) const {
  const CountedPart part(Part::vit);
  const plan::VisionConfig& v = model_.vision;
  Tensor rope_table = ops.vision_rope_table(batch.vit_hw, v.head_dim());
  Tensor pixels = ops.load_pixels(batch.pixel_values, batch.shape.patches(), v.patch_values());
  Tensor x = ops.linear(pixels, table_.patch_embed);
  if (!saved) pixels = {};
  // With a frozen ViT only the merger has a backward pass.
  const bool keep_blocks = saved && ops.trainable().vit;
  for (const plan::VitBlock& w : table_.vit_blocks) {
    VitBlockSaved s;
    x = block(ops, w, batch, rope_table, std::move(x), recompute, keep_blocks ? &s : nullptr);
    if (keep_blocks) saved->blocks.push_back(std::move(s));
  }
  if (keep_blocks) {
    saved->pixels = std::move(pixels);
    saved->rope_table = std::move(rope_table);
  }
  pixels = {}, rope_table = {};
  return merger(ops, std::move(x), saved);
}

void Vision::backward(Ops& ops, const MicroBatch& batch, Tensor dy, VisionSaved saved) const {
  const CountedPart part(Part::vit);
  dy = merger_backward(ops, std::move(dy), std::move(saved.merger));
  if (!ops.trainable().vit) return;
  for (std::size_t b = table_.vit_blocks.size(); b-- > 0;)
    dy = block_backward(ops, table_.vit_blocks[b], batch, saved.rope_table, std::move(dy),
                        std::move(saved.blocks[b]));
  ops.linear_backward_weight(dy, saved.pixels, table_.patch_embed);
}

}  // namespace vlmark::model
