#pragma once

#include "src/plan/model_config.hpp"

namespace vlmark::plan {

/// What of a published model is kept; 0: all.
struct Reduction {
  int layers = 0;        ///< of the decoder
  int vision_depth = 0;  ///< blocks of the ViT
  int vocabulary = 0;    ///< rows of the embedding and the head
};

/// A model of the same widths. The name says what is left: "2B-2of28-layers",
/// "7B-1of28-layers-1of32-blocks-16384of152064-tokens", because another size is another figure of
/// merit (rule R4). Special tokens beyond a reduced vocabulary move to its last rows. Throws
/// ConfigError for more than the model has, and for a vocabulary of fewer than 128.
ModelConfig reduced(ModelConfig model, const Reduction& reduction);

}  // namespace vlmark::plan
