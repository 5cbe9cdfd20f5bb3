#pragma once

#include <array>
#include <span>
#include <vector>

#include "src/base/device_memory.hpp"
#include "src/model/qwen2vl.hpp"
#include "src/model/recording_ops.hpp"
#include "src/plan/forming_gradients.hpp"
#include "src/plan/layout.hpp"
#include "src/plan/optimizer_settings.hpp"
#include "src/plan/schedule_shape.hpp"
#include "src/plan/state_layout.hpp"

namespace vlmark::model {

/// What fixes the arithmetic of a training run besides the model, and who computes what of it.
struct TrainingSettings {
  DType type = DType::f32;  ///< of parameters and activations
  plan::Trainable trainable;
  plan::Recompute recompute;
  bool deterministic = true;
  long bucket_elements = 0;  ///< 0: one bucket for each segment
  plan::OptimizerSettings optimizer;
  bool staged = kDeviceMemory;  ///< as in OpsSettings; true on a host is for tests
  /// The communicator reads the memory of kernels; else messages are staged, too.
  bool device_transport = false;
  AttentionBackend attention = AttentionBackend::own;
  plan::Layout layout;
  int segments = 1;  ///< of each chunk, at most
  plan::Overlap overlap;
  /// Steps between two averages of the parameters that tensor ranks replicate; 0: their gradients
  /// are summed each step instead.
  int average_every = 0;
  bool broadcast_shapes = false;  ///< see plan::ScheduleShape

  /// Whether a step, counted from 0, ends with an average.
  bool averages_in(long step) const {
    return average_every > 0 && layout.tensor > 1 && (step + 1) % average_every == 0;
  }
  OpsSettings ops(int tensor_rank) const {
    return {type, trainable, staged, attention, deterministic, layout.tensor, tensor_rank};
  }
};

/// The micro-batches of every step, over all replicas.
using Steps = std::vector<std::vector<plan::MicroBatchShape>>;
/// Micro-batches of the largest step.
int most_micro_batches(const Steps& steps);

/// Where a model is cut, for micro-batches like those of `steps`.
struct Cuts {
  std::vector<double> costs;            ///< [units]
  std::vector<plan::UnitRange> chunks;  ///< of about equal cost, in the order of the model
};
Cuts cuts_of(const plan::ModelConfig& model, const Steps& steps, int chunks);
/// What the rank at `place` holds of a model cut into layout.pipeline * layout.chunks.
plan::Shard shard_of(const plan::ModelConfig& model, const TrainingSettings& settings,
                     const Cuts& cuts, const plan::Place& place);
/// What the rank at `place` holds: stages of about equal cost for micro-batches like those of
/// `steps`. Every rank gets the same cuts.
plan::Shard shard_of(const plan::ModelConfig& model, const TrainingSettings& settings,
                     const Steps& steps, const plan::Place& place);

/// What one rank does in steps of at most `most` micro-batches over all replicas.
struct RankPlan {
  plan::Place place;
  plan::FlatLayout layout;
  plan::StateSettings state;
  int most;
  plan::FormingGradients forming;  ///< used beside sums in bf16

  RankPlan(const Qwen2VL& model, const TrainingSettings& settings, int most, int rank,
           long slot_rows);
  /// The schedule of a step of `micro_batches`, at most `most`, over all replicas; `step`: its
  /// number, from 0.
  plan::ScheduleShape schedule(const Qwen2VL& model, const TrainingSettings& settings,
                               int micro_batches, long step = 0) const;
};

/// What one rank's training memory is made of, before anything is allocated.
struct MemoryPlan {
  std::vector<plan::MemoryItem> items;  ///< by category, activations last
  std::int64_t arena_bytes = 0;         ///< high-water mark: what the engine allocates
  int most_micro_batches = 0;           ///< of one step
  long slot_rows = 0;                   ///< of a message between stages
  AttentionScratch attention;           ///< largest of a vendor library, within "activations"
  plan::Flops flops;                    ///< of this rank, all steps together
  /// Byte between memory and processor, at least: operands and results of every call once.
  std::array<std::uint64_t, kParts> traffic{};  ///< of this rank, all steps together
  std::vector<OpRecord> records;                ///< of the recorded micro-batches, in order
};

/// The memory plan of `rank` of the layout, which holds `model`. Takes every step's schedule through
/// the layers by the code that executes them, steps of equal shapes once. "staging" is host memory,
/// beside the arena. Needs no memory, kernels or other ranks.
MemoryPlan plan_training(const Qwen2VL& model, const TrainingSettings& settings, const Steps& steps,
                         int rank);

}  // namespace vlmark::model
