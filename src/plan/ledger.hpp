#pragma once

#include <cstdint>

#include "src/base/counters.hpp"
#include "src/plan/model_config.hpp"
#include "src/plan/shapes.hpp"
#include "src/plan/trainable.hpp"

namespace vlmark::plan {

/// Model FLOPs of a micro-batch by part: two per multiply-add of every matrix product and of
/// attention (causal counted half), the head on supervised rows only; norms, rotations and
/// activations are not counted, nor is anything computed a second time.
struct Flops {
  std::uint64_t gemm[kParts] = {};
  std::uint64_t attention[kParts] = {};

  std::uint64_t total() const;
  Flops& operator+=(const Flops& other);
  bool operator==(const Flops&) const = default;
};

/// Closed formulas (docs/architecture.md, "Ledger"): the reference that the FLOPs counted at the
/// GEMM and attention calls are held against.
Flops forward_flops(const ModelConfig& model, const MicroBatchShape& shape);
/// Forward and backward of one training micro-batch with some groups frozen.
Flops training_flops(const ModelConfig& model, const MicroBatchShape& shape,
                     const Trainable& trainable);

/// FLOPs that no model needs: what `recompute` forms a second time, and the projections of key/value
/// heads that several of `tensor_ranks` hold. All that ranks count together is this and
/// training_flops().
Flops extra_flops(const ModelConfig& model, const MicroBatchShape& shape,
                  const Trainable& trainable, const Recompute& recompute, int tensor_ranks);

/// Whether the backward pass of a micro-batch has anything to do at all.
bool needs_backward(const MicroBatchShape& shape, const Trainable& trainable);

}  // namespace vlmark::plan
