#pragma once

#include <cstdint>
#include <span>

#include "src/model/training_plan.hpp"

namespace vlmark::model {

/// Bytes that one rank hands to the transport in one step, by purpose, as parallel::Communicator
/// books them.
struct StepTraffic {
  std::uint64_t tensor = 0;    ///< inside layers, and sums of what tensor ranks share
  std::uint64_t pipeline = 0;  ///< between stages
  std::uint64_t data = 0;      ///< gradients and parameters between replicas
  std::uint64_t norm = 0;      ///< gradient norm, loss, and the hash that all ranks compare

  std::uint64_t total() const { return tensor + pipeline + data + norm; }
  bool operator==(const StepTraffic&) const = default;
};

/// Of the rank of `plan` in a step of the given micro-batches, over all replicas: the messages of
/// its schedule, and those that its layers ask for.
StepTraffic step_traffic(const Qwen2VL& model, const TrainingSettings& settings,
                         const RankPlan& plan, std::span<const plan::MicroBatchShape> step);

}  // namespace vlmark::model
