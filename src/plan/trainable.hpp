#pragma once

#include "src/plan/parameters.hpp"

namespace vlmark::plan {

/// Which parts of the model learn. The paper's stages: 1 trains the ViT, 2 everything, 3 the LLM;
/// it does not say whether the merger learns in 1 and 3, so it has a switch of its own.
struct Trainable {
  bool vit = true, merger = true, llm = true;

  static Trainable stage(int stage, bool merger) {
    return {stage != 3, stage == 2 || merger, stage != 1};
  }
  bool operator()(Group group) const {
    if (group == Group::vit) return vit;
    return group == Group::merger ? merger : llm;
  }
  /// Whether a gradient must reach the embeddings at all.
  bool vision() const { return vit || merger; }
  bool operator==(const Trainable&) const = default;
};

/// Activations that are computed again in the backward pass instead of being kept.
struct Recompute {
  bool norms = false;          ///< outputs of the norms before the linear layers
  bool activation = false;     ///< SwiGLU product and quick-GELU output
  bool up_projection = false;  ///< gate and up, the ViT's first MLP product: one product more
  bool attention = false;      ///< output and log-sum-exp: a forward pass of attention more
  bool layer = false;          ///< all of a layer or ViT block but its input, which is kept in fp32

  bool operator==(const Recompute&) const = default;
};

}  // namespace vlmark::plan
