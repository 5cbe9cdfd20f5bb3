#pragma once

#include <vector>

#include "src/model/micro_batch.hpp"
#include "src/model/ops.hpp"

namespace vlmark::model {

/// What the backward pass of one ViT block needs; empty where it is computed again.
struct VitBlockSaved {
  Tensor x, statistics1, n1, qkv, log_sum, a;  // [patches, ...]
  Tensor h, statistics2, n2, f, g;
};
struct MergerSaved {
  Tensor x, statistics, joined;  // [patches, embed_dim], [2, patches], [merged, 4 * embed_dim]
  Tensor f, g;                   // before and after GELU
};
struct VisionSaved {
  Tensor pixels, rope_table;
  std::vector<VitBlockSaved> blocks;
  MergerSaved merger;
};

/// Vision transformer and merger (Wang et al., arXiv:2409.12191, section 2.1): patches of every
/// medium of the micro-batch, attention inside each frame pair, four patches to one token.
class Vision {
 public:
  Vision(const plan::ModelConfig& model, const plan::ParameterTable& table)
      : model_(model), table_(table) {}

  /// [merged tokens, hidden]. `saved` receives what `backward` needs; null: nothing is kept.
  Tensor forward(Ops& ops, const MicroBatch& batch, plan::Recompute recompute,
                 VisionSaved* saved) const;
  /// Adds the gradients of merger and ViT; stops where nothing before learns.
  void backward(Ops& ops, const MicroBatch& batch, const Tensor& dy, VisionSaved saved) const;

 private:
  AttentionSpec attention_spec() const;
  void block(Ops& ops, const plan::VitBlock& w, const MicroBatch& batch, const Tensor& rope_table,
             Tensor& stream, plan::Recompute recompute, VitBlockSaved* saved) const;
  void block_backward(Ops& ops, const plan::VitBlock& w, const MicroBatch& batch,
                      const Tensor& rope_table, Tensor& d_stream, VitBlockSaved saved) const;
  Tensor merger(Ops& ops, const Tensor& stream, VisionSaved* saved) const;
  /// Gradient of the merger's input, as a stream.
  Tensor merger_backward(Ops& ops, const Tensor& dy, MergerSaved saved) const;

  const plan::ModelConfig& model_;
  const plan::ParameterTable& table_;
};

}  // namespace vlmark::model
