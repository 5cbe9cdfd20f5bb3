#pragma once

#include <map>
#include <utility>
#include <vector>

#include "src/model/qwen2vl.hpp"
#include "src/plan/schedule_shape.hpp"
#include "src/plan/state_layout.hpp"

namespace vlmark::model {

/// Where the messages of one rank lie: StateLayout::slots, of which each kind and direction has
/// its run.
class MessageSlots {
 public:
  explicit MessageSlots(const plan::ScheduleShape& shape);

  int count() const { return count_; }
  int receive(plan::Message message, int slot) const;
  int send(plan::Message message, int slot) const;

 private:
  int first_receive_[plan::kMessages], first_send_[plan::kMessages], count_ = 0;
};

/// The micro-batches under way on one rank, taken through its chunks of the model action by action.
/// Planner and executor do this alike, each with its Ops, so the arena of a planned step is that of
/// the step that runs.
class StagePasses {
 public:
  /// `model` holds the rank's shard and outlives this, as do `shape` and `state`.
  StagePasses(const Qwen2VL& model, const plan::ScheduleShape& shape,
              const plan::StateLayout& state, plan::Recompute recompute)
      : model_(model), shape_(shape), state_(state), recompute_(recompute), slots_(shape) {}

  const MessageSlots& slots() const { return slots_; }

  void load(int m, MicroBatch batch) { batches_.insert_or_assign(m, std::move(batch)); }
  const MicroBatch& batch(int m) const { return batches_.at(m); }
  /// Once the first segment has gone forward nobody reads them again.
  std::vector<float> take_pixels(int m) { return std::exchange(batches_.at(m).pixel_values, {}); }
  /// Of a micro-batch whose head has run on this rank.
  double loss_sum(int m) const { return loss_sums_.at(m); }

  /// Actions that take layers: forward, backward and embedding_backward.
  static bool runs(plan::ActionKind kind);
  void run(Ops& ops, const plan::Action& action, float loss_scale);
  /// Elements of a message about micro-batch `m` of the given shape: none where the receiver has
  /// nothing to do with it.
  long elements(const Ops& ops, const plan::MicroBatchShape& shape, plan::Message message) const;
  /// Where a message lies.
  Tensor slot(const Ops& ops, const plan::Action& action, const plan::MicroBatchShape& shape) const;

  /// Forgets everything: a step has ended.
  void clear();

 private:
  void forward(Ops& ops, const plan::Action& action, float loss_scale);
  void backward(Ops& ops, const plan::Action& action);
  bool first_of_chunk(const plan::Action& action) const;
  bool last_of_chunk(const plan::Action& action) const;
  /// Whether the chunk begins the model, or ends it.
  bool first_chunk(int chunk) const { return shape_.pipeline_rank == 0 && chunk == 0; }
  bool last_chunk(int chunk) const;
  plan::UnitRange units(const plan::Action& action) const;
  Tensor slot_of(const Ops& ops, const plan::Action& action, plan::BufferId::Kind kind,
                 plan::Message message) const;
  Tensor place(const Ops& ops, int slot, const plan::MicroBatchShape& shape) const;

  const Qwen2VL& model_;
  const plan::ScheduleShape& shape_;
  const plan::StateLayout& state_;
  plan::Recompute recompute_;
  MessageSlots slots_;
  std::map<int, MicroBatch> batches_;
  std::map<std::pair<int, int>, Pass> passes_;  // [micro-batch, chunk]
  std::map<int, double> loss_sums_;
};

}  // namespace vlmark::model
