#pragma once

#include <vector>

#include "src/model/decoder.hpp"
#include "src/model/micro_batch.hpp"
#include "src/model/ops.hpp"
#include "src/model/vit.hpp"

namespace vlmark::model {

/// What one training micro-batch keeps between its forward and its backward pass.
struct Saved {
  VisionSaved vision;
  Tensor rope_table;
  std::vector<DecoderSaved> layers;
  Tensor last_rows, last_scale;  // input of the final norm, supervised rows only
  Tensor d_rows;                 // gradient of its output, formed by the fused loss
  double loss_sum = 0;           // over the supervised rows, unscaled
};

/// Qwen2-VL: ViT, merger, decoder and head, written once against Ops.
class Qwen2VL {
 public:
  explicit Qwen2VL(const plan::ModelConfig& model)
      : model_(model), table_(model), vision_(model_, table_), decoder_(model_, table_) {}
  Qwen2VL(const Qwen2VL&) = delete;
  Qwen2VL& operator=(const Qwen2VL&) = delete;

  const plan::ModelConfig& config() const { return model_; }
  const plan::ParameterTable& table() const { return table_; }

  /// Forward pass of a training micro-batch. The gradient is that of loss_scale * sum of the
  /// supervised rows' losses, so 1 / (supervised tokens of the step) makes it the mean's.
  Saved forward(Ops& ops, const MicroBatch& batch, float loss_scale,
                plan::Recompute recompute) const;
  /// Adds the gradients of every parameter that learns.
  void backward(Ops& ops, const MicroBatch& batch, Saved saved) const;

  /// Output of the merger [merged tokens, hidden].
  Tensor vision(Ops& ops, const MicroBatch& batch) const;
  /// Output of the final norm [tokens, hidden], nothing kept. With `cache`: one sequence, whose
  /// keys and values are appended.
  Tensor hidden(Ops& ops, const MicroBatch& batch, KvCache* cache) const;
  /// [rows, vocab] fp32 of rows of `hidden`.
  Tensor logits(Ops& ops, const Tensor& hidden) const;
  /// An empty cache for `capacity` tokens.
  KvCache cache(Ops& ops, long capacity) const;

 private:
  /// The residual stream as it enters the decoder.
  Tensor embed(Ops& ops, const MicroBatch& batch, plan::Recompute recompute,
               VisionSaved* saved) const;

  plan::ModelConfig model_;
  plan::ParameterTable table_;
  Vision vision_;
  Decoder decoder_;
};

}  // namespace vlmark::model
