#include "src/model/qwen2vl.hpp"

#include "src/base/counters.hpp"
#include "src/plan/ledger.hpp"

namespace vlmark::model {

void Qwen2VL::vision_forward(Ops& ops, int unit, const MicroBatch& batch, plan::Recompute recompute,
                             bool keep, Pass& pass) const {
  const CountedPart part(unit == units_.merger() ? Part::merger : Part::vit);
  if (unit == units_.patch_embed())
    vision_.patch_embed(ops, batch, keep, pass.vision);
  else if (unit == units_.merger())
    pass.features = vision_.merger(ops, keep, pass.vision);
  else
    vision_.block(ops, units_.block_of(unit), batch, recompute, keep, pass.vision);
}

void Qwen2VL::embed(Ops& ops, const MicroBatch& batch, Pass& pass) const {
  const CountedPart part(Part::decoder);
  Tensor x = ops.embedding(batch.ids, table_.embedding);
  if (!pass.features.empty())
    ops.place_rows(x, ops.blocks(batch.shape.tokens()), pass.features, batch.vision_rows);
  pass.features = {};
  pass.stream = ops.stream(x);
}

void Qwen2VL::loss(Ops& ops, const MicroBatch& batch, float loss_scale, bool gradient,
                   Pass& pass) const {
  const CountedPart part(Part::head);
  if (batch.shape.supervised > 0) {
    // Only supervised rows are normed and see the head: the others have no loss.
    pass.last_rows = ops.rounded(
        ops.take_rows(pass.stream, ops.blocks(batch.shape.tokens()), batch.supervised_rows));
    pass.stream = {};
    const Tensor h =
        ops.rms_norm(pass.last_rows, table_.final_norm, model_.rms_norm_eps, pass.last_scale);
    pass.d_rows = ops.linear_cross_entropy(h, table_.head, batch.targets, loss_scale, gradient,
                                           pass.loss_sum);
  }
  pass.stream = {};
}

void Qwen2VL::forward(Ops& ops, plan::UnitRange units, const MicroBatch& batch, float loss_scale,
                      plan::Recompute recompute, Pass& pass) const {
  const bool gradient = plan::needs_backward(batch.shape, ops.trainable());
  const bool vision_gradient = gradient && ops.trainable().vision();
  for (int unit = units.begin; unit < units.end; ++unit) {
    if (units_.is_vision(unit)) {
      if (!batch.shape.media.empty())
        vision_forward(ops, unit, batch, recompute, vision_gradient, pass);
    } else if (unit == units_.embedding()) {
      embed(ops, batch, pass);
    } else if (unit == units_.head()) {
      loss(ops, batch, loss_scale, gradient, pass);
    } else {
      const CountedPart part(Part::decoder);
      if (pass.rope_table.empty())
        pass.rope_table = ops.mrope_table(batch.positions, model_.mrope_section, model_.rope_theta,
                                          model_.head_dim());
      const int layer = units_.layer_of(unit);
      if (ops.skips_layer(layer)) continue;
      pass.layers.resize(static_cast<std::size_t>(model_.layers));
      decoder_.forward(ops, layer, batch, pass.rope_table, pass.stream, recompute,
                       gradient ? &pass.layers[static_cast<std::size_t>(layer)] : nullptr, nullptr);
    }
  }
}

void Qwen2VL::loss_backward(Ops& ops, const MicroBatch& batch, Pass& pass) const {
  const CountedPart part(Part::head);
  const TokenBlocks tokens = ops.blocks(batch.shape.tokens());
  Tensor d_rows = ops.zero_stream(pass.last_rows.rows(), model_.hidden);
  ops.rms_norm_backward(pass.d_rows, pass.last_rows, table_.final_norm, pass.last_scale, d_rows);
  pass.d_rows = {}, pass.last_rows = {}, pass.last_scale = {};
  pass.stream = ops.zero_stream(tokens.local_rows(), model_.hidden);
  ops.place_rows(pass.stream, tokens, d_rows, batch.supervised_rows);
}

void Qwen2VL::embed_backward(Ops& ops, const MicroBatch& batch, Pass& pass) const {
  const CountedPart part(Part::decoder);
  pass.rope_table = {};
  if (!batch.shape.media.empty()) {
    const TokenBlocks tokens = ops.blocks(batch.shape.tokens());
    if (ops.trainable().vision())
      pass.features = ops.rounded(ops.take_rows(pass.stream, tokens, batch.vision_rows));
    ops.zero_rows(pass.stream, tokens, batch.vision_rows);  // their embeddings were overwritten
  }
  // The head's share of a tied gradient was added by the forward pass; this one comes second.
  if (!table_[table_.embedding].copy)
    ops.embedding_backward(pass.stream, batch.ids, table_.embedding);
  else if (ops.trainable().llm)  // its owner adds them
    pass.d_embedding = std::move(pass.stream);
  pass.stream = {};
}

void Qwen2VL::vision_backward(Ops& ops, int unit, const MicroBatch& batch, Pass& pass) const {
  const CountedPart part(unit == units_.merger() ? Part::merger : Part::vit);
  if (unit == units_.merger()) {
    vision_.merger_backward(ops, pass.features, pass.vision);
    pass.features = {};
  } else if (!ops.trainable().vit) {
    pass.vision = {};
  } else if (unit == units_.patch_embed()) {
    vision_.patch_embed_backward(ops, pass.vision);
  } else {
    vision_.block_backward(ops, units_.block_of(unit), batch, pass.vision);
  }
}

void Qwen2VL::backward(Ops& ops, plan::UnitRange units, const MicroBatch& batch, Pass& pass) const {
  if (!plan::needs_backward(batch.shape, ops.trainable())) return;
  for (int unit = units.end; unit-- > units.begin;) {
    if (units_.is_vision(unit)) {
      if (!batch.shape.media.empty() && ops.trainable().vision())
        vision_backward(ops, unit, batch, pass);
    } else if (unit == units_.embedding()) {
      embed_backward(ops, batch, pass);
    } else if (unit == units_.head()) {
      loss_backward(ops, batch, pass);
    } else {
      const CountedPart part(Part::decoder);
      const int layer = units_.layer_of(unit);
      if (ops.skips_layer(layer)) continue;
      decoder_.backward(ops, layer, batch, pass.rope_table, pass.stream,
                        std::move(pass.layers[static_cast<std::size_t>(layer)]));
    }
  }
}

Tensor Qwen2VL::vision(Ops& ops, const MicroBatch& batch) const {
  Pass pass;
  for (int unit = 0; unit <= units_.merger(); ++unit)
    vision_forward(ops, unit, batch, {}, /*keep=*/false, pass);
  return std::move(pass.features);
}

Tensor Qwen2VL::hidden(Ops& ops, const MicroBatch& batch, KvCache* cache) const {
  Pass pass;
  if (!batch.shape.media.empty()) pass.features = vision(ops, batch);
  embed(ops, batch, pass);
  const CountedPart part(Part::decoder);
  const Tensor rope_table =
      ops.mrope_table(batch.positions, model_.mrope_section, model_.rope_theta, model_.head_dim());
  for (int l = 0; l < model_.layers; ++l)
    decoder_.forward(ops, l, batch, rope_table, pass.stream, {}, nullptr, cache);
  if (cache) cache->filled += pass.stream.rows();
  Tensor scale;
  return ops.rms_norm(ops.rounded(pass.stream), table_.final_norm, model_.rms_norm_eps, scale);
}

Tensor Qwen2VL::logits(Ops& ops, const Tensor& hidden) const {
  const CountedPart part(Part::head);
  return ops.linear(hidden, table_.head, DType::f32);
}

KvCache Qwen2VL::cache(Ops& ops, long capacity) const {
  KvCache cache;
  for (int l = 0; l < model_.layers; ++l)
    cache.layers.push_back({ops.make(capacity, model_.kv_width(), ops.type()),
                            ops.make(capacity, model_.kv_width(), ops.type())});
  return cache;
}

}  // namespace vlmark::model
