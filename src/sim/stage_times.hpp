#pragma once

#include <vector>

#include "src/model/step_traffic.hpp"
#include "src/plan/schedule.hpp"
#include "src/sim/cost.hpp"

namespace vlmark::sim {

/// The recorded times of every micro-batch of a step, each shape once.
struct StepTimes {
  std::vector<const UnitTimes*> of;  ///< [micro-batches of the step]
};

/// Prices the actions of one rank. Layers cost what unit_times() recorded; messages what
/// ActionTraffic counts, by the link that the ranks share; the rest its memory traffic. `load`
/// costs nothing: pictures are prepared beside the step.
class StageTimes {
 public:
  /// Micro-batch 0 of the priced schedule is number `first` of the step. `bucket_elements`: of the
  /// buckets that the run has, where the schedule holds those of a segment as one. All that is given
  /// outlives it.
  StageTimes(const Machine& machine, const model::Qwen2VL& model,
             const model::TrainingSettings& settings, const model::RankPlan& plan,
             const StepTimes& step, int first, long bucket_elements);

  PassTime time(const plan::Action& action) const;
  /// Of the message that a finish_ waits for.
  double transit(const plan::Action& action) const;

 private:
  const UnitTimes& of(const plan::Action& action) const {
    return *step_.of[static_cast<std::size_t>(first_ + action.micro_batch)];
  }
  PassTime pass(const plan::Action& action) const;
  double buckets_in(int bucket) const;
  double join(int segment) const;
  double join_bucket(int bucket) const;
  double norm() const;
  double update(int bucket) const;
  PassTime exchange(int bucket, int values, std::uint64_t sent_bytes) const;
  double slice_elements(int bucket) const {
    return static_cast<double>(plan_.layout.slice(bucket, 0).size());
  }

  const Machine& machine_;
  const model::Qwen2VL& model_;
  const model::TrainingSettings& settings_;
  const model::RankPlan& plan_;
  const StepTimes& step_;
  int first_;
  long bucket_elements_;
  plan::ScheduleShape shape_;
  model::ActionTraffic traffic_;
  Peers data_, tensor_, pipeline_, model_group_;
  double state_bytes_;  // of an element of gradients and moments
};

}  // namespace vlmark::sim
