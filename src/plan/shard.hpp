#pragma once

#include <vector>

#include "src/plan/units.hpp"

namespace vlmark::plan {

/// What one rank holds of a model: units by pipeline, parts of their matrices by tensor rank.
struct Shard {
  /// [chunk][segment], in forward order: a chunk is a run of units, its segments tile it. One
  /// forward or backward action runs one segment.
  std::vector<std::vector<UnitRange>> chunks;
  int tensor_rank = 0, tensor_ranks = 1;

  /// All of `model` in one segment.
  static Shard whole(const ModelConfig& model) { return {{{Units(model).all()}}, 0, 1}; }

  int segments() const;
  /// Number of the segment that holds `unit`, counted over all chunks in forward order; -1: none.
  int segment_of(int unit) const;
};

/// Throws ConfigError where `tensor_ranks` ranks cannot share the heads of `model`: those of ViT
/// and decoder must be divisible by it, and it or the number of key/value heads by the other.
void require_tensor_ranks(const ModelConfig& model, int tensor_ranks);

}  // namespace vlmark::plan
