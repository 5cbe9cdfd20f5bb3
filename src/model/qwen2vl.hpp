#pragma once

#include <vector>

#include "src/model/decoder.hpp"
#include "src/model/micro_batch.hpp"
#include "src/model/ops.hpp"
#include "src/model/vit.hpp"
#include "src/plan/units.hpp"

namespace vlmark::model {

/// One training micro-batch on its way through a run of units that one rank holds: what goes from
/// unit to unit, and what the backward pass needs.
struct Pass {
  Tensor stream;  // residual stream of this rank's block of tokens; on the way back its gradient
  Tensor rope_table;  // of the decoder
  VisionPass vision;
  Tensor features;                   // from the merger to the embedding, and its gradient back
  std::vector<DecoderSaved> layers;  // [layers], from the first that ran
  Tensor last_rows, last_scale;      // input of the final norm, this rank's supervised rows
  Tensor d_rows;                     // gradient of its output, formed by the fused loss
  Tensor d_embedding;                // gradient of the looked-up rows, where the table is a copy
  double loss_sum = 0;               // over the supervised rows, unscaled
};

/// Qwen2-VL: ViT, merger, decoder and head, written once against Ops.
class Qwen2VL {
 public:
  /// All of the model.
  explicit Qwen2VL(const plan::ModelConfig& model) : Qwen2VL(model, plan::Shard::whole(model)) {}
  /// What one rank of a layout holds of it.
  Qwen2VL(const plan::ModelConfig& model, plan::Shard shard)
      : model_(model),
        table_(model_, std::move(shard)),
        units_(model),
        vision_(model_, table_),
        decoder_(model_, table_) {}
  Qwen2VL(const Qwen2VL&) = delete;
  Qwen2VL& operator=(const Qwen2VL&) = delete;

  const plan::ModelConfig& config() const { return model_; }
  const plan::ParameterTable& table() const { return table_; }
  const plan::Shard& shard() const { return table_.shard; }
  const plan::Units& units() const { return units_; }
  /// What the units of this shard read of a micro-batch: only the stage with the ViT, the merger and
  /// the embedding has to do with pictures, only the one with the head with targets.
  Contents contents() const {
    return {shard().segment_of(units_.embedding()) >= 0, shard().segment_of(units_.head()) >= 0};
  }

  /// Takes a training micro-batch through `units`; runs that follow each other take the same
  /// `pass`, and one that begins behind the embedding finds the stream there. The gradient is that
  /// of loss_scale * sum of the supervised rows' losses, so 1 / (supervised tokens of the step)
  /// makes it the mean's.
  void forward(Ops& ops, plan::UnitRange units, const MicroBatch& batch, float loss_scale,
               plan::Recompute recompute, Pass& pass) const;
  /// The way back: adds the gradients of every parameter that learns. Runs that end before the head
  /// find the gradient of their output in `pass.stream`.
  void backward(Ops& ops, plan::UnitRange units, const MicroBatch& batch, Pass& pass) const;

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
  void embed(Ops& ops, const MicroBatch& batch, Pass& pass) const;
  void loss(Ops& ops, const MicroBatch& batch, float loss_scale, bool gradient, Pass& pass) const;
  void loss_backward(Ops& ops, const MicroBatch& batch, Pass& pass) const;
  void embed_backward(Ops& ops, const MicroBatch& batch, Pass& pass) const;
  /// The units of the ViT and the merger, where the micro-batch has media.
  void vision_forward(Ops& ops, int unit, const MicroBatch& batch, plan::Recompute recompute,
                      bool keep, Pass& pass) const;
  void vision_backward(Ops& ops, int unit, const MicroBatch& batch, Pass& pass) const;

  plan::ModelConfig model_;
  plan::ParameterTable table_;
  plan::Units units_;
  Vision vision_;
  Decoder decoder_;
};

}  // namespace vlmark::model
