#pragma once

#include "src/plan/model_config.hpp"

namespace vlmark::plan {

/// Half-open run of units of a model.
struct UnitRange {
  int begin = 0, end = 0;

  int size() const { return end - begin; }
  bool contains(int unit) const { return begin <= unit && unit < end; }
  bool operator==(const UnitRange&) const = default;
};

/// The model as a row of units in order of first use: what pipeline stages, overlap and buckets cut.
///
///     patch embedding | ViT blocks | merger | embedding | decoder layers | head
///
/// The embedding joins merger and text; the head is final norm, head and loss.
class Units {
 public:
  explicit Units(const ModelConfig& model) : blocks_(model.vision.depth), layers_(model.layers) {}

  int count() const { return head() + 1; }
  UnitRange all() const { return {0, count()}; }
  int patch_embed() const { return 0; }
  int block(int b) const { return 1 + b; }
  int merger() const { return 1 + blocks_; }
  int embedding() const { return 2 + blocks_; }
  int layer(int l) const { return 3 + blocks_ + l; }
  int head() const { return 3 + blocks_ + layers_; }

  bool is_vision(int unit) const { return unit <= merger(); }
  bool is_block(int unit) const { return unit >= block(0) && unit < merger(); }
  bool is_layer(int unit) const { return unit >= layer(0) && unit < head(); }
  /// Of a unit that is one.
  int block_of(int unit) const { return unit - block(0); }
  int layer_of(int unit) const { return unit - layer(0); }

 private:
  int blocks_, layers_;
};

}  // namespace vlmark::plan
