#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "src/model/training_plan.hpp"
#include "src/plan/shared_runs.hpp"

namespace vlmark::model {

/// Bytes that one rank hands to the transport in one step, by purpose, as parallel::Communicator
/// books them.
struct StepTraffic {
  std::uint64_t tensor = 0;    ///< inside layers, and sums and averages of what ranks share
  std::uint64_t pipeline = 0;  ///< between stages
  std::uint64_t data = 0;      ///< gradients and parameters between replicas
  std::uint64_t norm = 0;      ///< gradient norm, loss, and the hash that all ranks compare

  std::uint64_t total() const { return tensor + pipeline + data + norm; }
  bool operator==(const StepTraffic&) const = default;
};

/// Bytes that one rank sends in the actions that are no layers, of a step of `micro_batches` over
/// all replicas. What it is given outlives it.
class ActionTraffic {
 public:
  ActionTraffic(const Qwen2VL& model, const TrainingSettings& settings, const RankPlan& plan,
                int micro_batches);

  /// Gradients of a bucket to their owners.
  std::uint64_t reduce(int bucket) const;
  /// The owned slice of a bucket to all replicas.
  std::uint64_t gather(int bucket) const;
  /// Gradients of a bucket that tensor ranks share and sum.
  std::uint64_t share(int bucket) const;
  /// Weights and moments of a bucket that tensor ranks replicate.
  std::uint64_t average(int bucket) const;
  std::uint64_t norm() const;
  /// The lengths of a micro-batch from the first stage to the others.
  std::uint64_t lengths(const plan::MicroBatchShape& shape) const;
  /// A tied embedding from its owner to its copy.
  std::uint64_t embedding_weights() const;

 private:
  /// To the other holders, one value of each element of the owned slice.
  std::uint64_t shared(int bucket, plan::Sharing sharing) const;

  const Qwen2VL& model_;
  const TrainingSettings& settings_;
  const RankPlan& plan_;
  plan::ScheduleShape shape_;
  int micro_batches_;
  std::vector<plan::SharedRun> shared_;
};

/// Of the rank of `plan` in a step of the given micro-batches, over all replicas: the messages of
/// its schedule, and those that its layers ask for. `number`: of the step, from 0.
StepTraffic step_traffic(const Qwen2VL& model, const TrainingSettings& settings,
                         const RankPlan& plan, std::span<const plan::MicroBatchShape> step,
                         long number = 0);

}  // namespace vlmark::model
