#pragma once

#include <vector>

#include "src/model/micro_batch.hpp"
#include "src/model/ops.hpp"

namespace vlmark::model {

/// What the backward pass of one ViT block needs; empty where it is computed again.
struct VitBlockSaved {
  Tensor input;                                // of a block that is computed again as a whole
  Tensor x, statistics1, n1, qkv, log_sum, a;  // [patches, ...]; x, n1: this rank's block
  Tensor h, statistics2, n2, f, g;             // h and n2 likewise
};
struct MergerSaved {
  Tensor x, statistics, joined;  // [patches, embed_dim], [2, patches], [merged, 4 * embed_dim]
  Tensor f, g;                   // before and after GELU
};
/// The media of one micro-batch on their way through the ViT, and what their backward pass needs.
struct VisionPass {
  Tensor stream;  // [patches of this rank's block, embed_dim]; on the way back its gradient
  Tensor pixels, rope_table;
  std::vector<VitBlockSaved> blocks;  // [depth], or none where nothing is kept
  MergerSaved merger;
};

/// Vision transformer and merger (Wang et al., arXiv:2409.12191, section 2.1): patches of every
/// medium of the micro-batch, attention inside each frame pair, four patches to one token. Unit by
/// unit, in the order of plan::Units.
class Vision {
 public:
  Vision(const plan::ModelConfig& model, const plan::ParameterTable& table)
      : model_(model), table_(table) {}

  /// Each leaves in `pass` what comes next; with `keep` also what its backward pass needs. With a
  /// frozen ViT only the merger has one.
  void patch_embed(Ops& ops, const MicroBatch& batch, bool keep, VisionPass& pass) const;
  void block(Ops& ops, int b, const MicroBatch& batch, plan::Recompute recompute, bool keep,
             VisionPass& pass) const;
  /// [merged tokens of this rank's block, hidden].
  Tensor merger(Ops& ops, bool keep, VisionPass& pass) const;

  /// Each adds the gradients of its parameters and hands on that of its input.
  void merger_backward(Ops& ops, const Tensor& dy, VisionPass& pass) const;
  void block_backward(Ops& ops, int b, const MicroBatch& batch, VisionPass& pass) const;
  void patch_embed_backward(Ops& ops, VisionPass& pass) const;

 private:
  /// Adds both branches of block `b` to `stream`. `saved` receives what the backward pass needs.
  void branches(Ops& ops, int b, const MicroBatch& batch, const Tensor& rope_table, Tensor& stream,
                plan::Recompute recompute, VitBlockSaved* saved) const;
  AttentionSpec attention_spec() const;  // of the heads held here
  /// Patches over the tensor group, those of a token together.
  TokenBlocks patches(const Ops& ops, const MicroBatch& batch) const;

  const plan::ModelConfig& model_;
  const plan::ParameterTable& table_;
};

}  // namespace vlmark::model
