#pragma once

#include <span>
#include <vector>

#include "src/model/qwen2vl.hpp"
#include "src/model/recording_ops.hpp"
#include "src/plan/state_layout.hpp"

namespace vlmark::model {

/// What one rank's training memory is made of, before anything is allocated.
struct MemoryPlan {
  std::vector<plan::MemoryItem> items;  ///< by category, activations last
  std::int64_t arena_bytes = 0;         ///< high-water mark: what the engine allocates
  AttentionScratch attention;           ///< largest of a vendor library, within "activations"
  plan::Flops flops;                    ///< of the recorded micro-batches
  std::vector<OpRecord> records;        ///< of the recorded micro-batches, in order
};

/// Records the forward and backward pass of micro-batches of the given shapes behind the
/// persistent state, by the code that executes them. Equal shapes are recorded once and their
/// FLOPs counted as often as they stand in `shapes`. "staging" is host memory, beside the arena:
/// with `staged_messages` that of messages, too.
MemoryPlan record_training(const Qwen2VL& model, std::span<const plan::MicroBatchShape> shapes,
                           const OpsSettings& settings, plan::Recompute recompute,
                           const plan::FlatLayout& layout, const plan::StateSettings& state,
                           bool staged_messages = false);

}  // namespace vlmark::model
