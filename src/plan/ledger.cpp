#include "src/plan/ledger.hpp"

#include <algorithm>

namespace vlmark::plan {
namespace {

using Count = std::uint64_t;

constexpr int vit = static_cast<int>(Part::vit), merger = static_cast<int>(Part::merger),
              decoder = static_cast<int>(Part::decoder), head = static_cast<int>(Part::head);

/// Multiply-adds of one forward pass.
struct Work {
  Count patch_embed, vit_blocks, merger, decoder, head;
  Count vit_attention, decoder_attention;
};

Work forward_work(const ModelConfig& m, const MicroBatchShape& shape) {
  const VisionConfig& v = m.vision;
  const Count patches = static_cast<Count>(shape.patches()), width = v.embed_dim,
              joined = width * v.merge_unit(), merged = patches / v.merge_unit();
  const Count tokens = static_cast<Count>(shape.tokens()), hidden = m.hidden, q = m.q_width(),
              kv = m.kv_width();
  Work w{};
  w.patch_embed = patches * v.patch_values() * width;
  w.vit_blocks = v.depth * patches * (4 * width * width + 2 * width * v.mlp_width());
  w.merger = merged * (joined * joined + joined * hidden);
  w.decoder =
      m.layers * tokens * (hidden * (q + 2 * kv) + q * hidden + 3 * hidden * m.intermediate);
  w.head = static_cast<Count>(shape.supervised) * hidden * m.vocab;
  // Scores and values: 2 products of s^2 * width; causal: half of the pairs.
  for (const Count s : shape.vit_segments()) w.vit_attention += 2 * v.depth * width * s * s;
  for (const Count s : shape.sequences) w.decoder_attention += m.layers * q * s * s;
  return w;
}

Flops flops(const Work& w) {
  Flops f;
  f.gemm[vit] = 2 * (w.patch_embed + w.vit_blocks);
  f.gemm[merger] = 2 * w.merger;
  f.gemm[decoder] = 2 * w.decoder;
  f.gemm[head] = 2 * w.head;
  f.attention[vit] = 2 * w.vit_attention;
  f.attention[decoder] = 2 * w.decoder_attention;
  return f;
}

}  // namespace

std::uint64_t Flops::total() const {
  std::uint64_t sum = 0;
  for (int part = 0; part < kParts; ++part) sum += gemm[part] + attention[part];
  return sum;
}

Flops& Flops::operator+=(const Flops& other) {
  for (int part = 0; part < kParts; ++part) {
    gemm[part] += other.gemm[part];
    attention[part] += other.attention[part];
  }
  return *this;
}

bool needs_backward(const MicroBatchShape& shape, const Trainable& trainable) {
  return shape.supervised > 0 && (trainable.llm || (trainable.vision() && !shape.media.empty()));
}

Flops forward_flops(const ModelConfig& model, const MicroBatchShape& shape) {
  return flops(forward_work(model, shape));
}

Flops training_flops(const ModelConfig& model, const MicroBatchShape& shape,
                     const Trainable& trainable) {
  const Work forward = forward_work(model, shape);
  Flops sum = flops(forward);
  if (!needs_backward(shape, trainable)) return sum;
  // Each product costs as much again for the gradient of its input, and of its weight if it
  // learns; attention has no weight and costs twice its forward pass.
  const auto passes = [](bool input, bool weight) { return Count{input} + Count{weight}; };
  Work backward{};
  backward.head = forward.head * passes(true, trainable.llm);
  backward.decoder = forward.decoder * passes(true, trainable.llm);
  backward.decoder_attention = 2 * forward.decoder_attention;
  if (trainable.vision()) {
    // The merger's first product needs no input gradient when nothing before it learns; its norm
    // belongs to the merger and does, so only a frozen merger under a frozen ViT is skipped.
    backward.merger = forward.merger * passes(true, trainable.merger);
  }
  if (trainable.vit) {
    backward.vit_blocks = forward.vit_blocks * 2;
    backward.vit_attention = 2 * forward.vit_attention;
    backward.patch_embed = forward.patch_embed;  // pixels need no gradient
  }
  return sum += flops(backward);
}

Flops extra_flops(const ModelConfig& model, const MicroBatchShape& shape,
                  const Trainable& trainable, const Recompute& recompute, int tensor_ranks) {
  const VisionConfig& v = model.vision;
  const bool backward = needs_backward(shape, trainable);
  const Work forward = forward_work(model, shape);
  const Count tokens = static_cast<Count>(shape.tokens()), hidden = model.hidden;
  Work extra{};
  if (backward && (recompute.layer || recompute.attention)) {
    extra.decoder_attention = forward.decoder_attention;
    if (trainable.vit) extra.vit_attention = forward.vit_attention;
  }
  if (backward && recompute.layer) {
    extra.decoder = forward.decoder;
    if (trainable.vit) extra.vit_blocks = forward.vit_blocks;
  } else if (backward && recompute.up_projection) {
    extra.decoder = model.layers * tokens * hidden * 2 * model.intermediate;
    if (trainable.vit)
      extra.vit_blocks =
          v.depth * static_cast<Count>(shape.patches()) * v.embed_dim * v.mlp_width();
  }
  const Count copies = std::max(tensor_ranks / model.kv_heads, 1) - 1,
              passes = 1 + (backward ? 1 + Count{trainable.llm} + Count{recompute.layer} : 0);
  extra.decoder += copies * passes * model.layers * tokens * hidden * 2 * model.kv_width();
  return flops(extra);
}

}  // namespace vlmark::plan
