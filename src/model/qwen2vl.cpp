#include "src/model/qwen2vl.hpp"

#include "src/base/counters.hpp"
#include "src/plan/ledger.hpp"

namespace vlmark::model {

Tensor Qwen2VL::embed(Ops& ops, const MicroBatch& batch, plan::Recompute recompute,
                      VisionSaved* saved) const {
  Tensor features;
  if (!batch.shape.media.empty()) features = vision_.forward(ops, batch, recompute, saved);
  const CountedPart part(Part::decoder);
  Tensor x = ops.embedding(batch.ids, table_.embedding);
  if (!features.empty()) ops.scatter_rows(x, features, batch.vision_rows);
  return ops.stream(x);
}

Saved Qwen2VL::forward(Ops& ops, const MicroBatch& batch, float loss_scale,
                       plan::Recompute recompute) const {
  const bool gradient = plan::needs_backward(batch.shape, ops.trainable());
  const bool vision_gradient = gradient && ops.trainable().vision();
  Saved saved;
  Tensor stream = embed(ops, batch, recompute, vision_gradient ? &saved.vision : nullptr);
  {
    const CountedPart part(Part::decoder);
    saved.rope_table = ops.mrope_table(batch.positions, model_.mrope_section, model_.rope_theta,
                                       model_.head_dim());
    for (int l = 0; l < model_.layers; ++l) {
      DecoderSaved s;
      decoder_.forward(ops, l, batch, saved.rope_table, stream, recompute, gradient ? &s : nullptr,
                       nullptr);
      if (gradient) saved.layers.push_back(std::move(s));
    }
  }
  if (batch.shape.supervised == 0) return saved;
  const CountedPart part(Part::head);
  // Only supervised rows are normed and see the head: the others have no loss.
  saved.last_rows = ops.rounded(ops.gather_rows(stream, batch.supervised_rows));
  stream = {};
  const Tensor h =
      ops.rms_norm(saved.last_rows, table_.final_norm, model_.rms_norm_eps, saved.last_scale);
  saved.d_rows =
      ops.linear_cross_entropy(h, table_.head, batch.targets, loss_scale, gradient, saved.loss_sum);
  return saved;
}

void Qwen2VL::backward(Ops& ops, const MicroBatch& batch, Saved saved) const {
  if (saved.d_rows.empty()) return;
  Tensor d_stream;
  {
    const CountedPart part(Part::head);
    Tensor d_rows = ops.zero_stream(batch.shape.supervised, model_.hidden);
    ops.rms_norm_backward(saved.d_rows, saved.last_rows, table_.final_norm, saved.last_scale,
                          d_rows);
    saved.d_rows = {}, saved.last_rows = {};
    d_stream = ops.zero_stream(batch.shape.tokens(), model_.hidden);
    ops.scatter_rows(d_stream, d_rows, batch.supervised_rows);
  }
  {
    const CountedPart part(Part::decoder);
    for (int l = model_.layers; l-- > 0;)
      decoder_.backward(ops, l, batch, saved.rope_table, d_stream,
                        std::move(saved.layers[static_cast<std::size_t>(l)]));
  }
  Tensor d_features;
  if (!batch.shape.media.empty()) {
    if (ops.trainable().vision())
      d_features = ops.rounded(ops.gather_rows(d_stream, batch.vision_rows));
    ops.zero_rows(d_stream, batch.vision_rows);  // their embeddings were overwritten
  }
  // The head's share of a tied gradient was added by the forward pass; this one comes second.
  ops.embedding_backward(d_stream, batch.ids, table_.embedding);
  d_stream = {};
  if (!d_features.empty()) vision_.backward(ops, batch, d_features, std::move(saved.vision));
}

Tensor Qwen2VL::vision(Ops& ops, const MicroBatch& batch) const {
  return vision_.forward(ops, batch, {}, nullptr);
}

Tensor Qwen2VL::hidden(Ops& ops, const MicroBatch& batch, KvCache* cache) const {
  Tensor stream = embed(ops, batch, {}, nullptr);
  const CountedPart part(Part::decoder);
  const Tensor rope_table =
      ops.mrope_table(batch.positions, model_.mrope_section, model_.rope_theta, model_.head_dim());
  for (int l = 0; l < model_.layers; ++l)
    decoder_.forward(ops, l, batch, rope_table, stream, {}, nullptr, cache);
  if (cache) cache->filled += stream.rows();
  Tensor scale;
  return ops.rms_norm(ops.rounded(stream), table_.final_norm, model_.rms_norm_eps, scale);
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
