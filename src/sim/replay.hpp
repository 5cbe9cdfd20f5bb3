#pragma once

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "src/plan/replay.hpp"
#include "src/sim/rhythm.hpp"
#include "src/sim/stage_times.hpp"

namespace vlmark::sim {

/// What a step of a layout is expected to take.
struct Prediction {
  double step = 0;    ///< s, from the first action to the end of the last
  double bubble = 0;  ///< share of the passes' time in which compute lanes stand still, all stages
  /// s in which messages of the lane are under way while the compute lane stands still, on the rank
  /// where that is longest; waiting for another rank to send one is not counted. Of `tensor`:
  /// messages inside layers, which nothing overlaps.
  std::array<double, plan::kLanes> exposed{};
  int micro_batches = 0;  ///< of the replica
  int replayed = 0;       ///< how many of them were played, see Simulator::predict
};

/// All pipeline ranks of one replica, played forward in time.
struct Simulation {
  std::deque<plan::RankPlan> stages;
  plan::Replay played;
  std::vector<std::vector<PassTime>> times;   ///< [stage][action], without waiting
  std::vector<std::vector<double>> transits;  ///< [stage][action] of the message it waits for
};

/// Plays `ranks`, the stages of `run`, with its times.
plan::Replay replay(const Simulation& run, std::span<const plan::RankPlan* const> ranks);

/// What a replayed step amounts to when `left_out` more groups of micro-batches keep its rhythm.
Prediction summarise(const Simulation& run, const Rhythm& rhythm = {}, int left_out = 0);

/// Plays the schedules that the engine executes with the times of a machine. Stands on
/// plan::replay; a message takes latency + bytes / bandwidth from when both sides have posted it,
/// and links do not slow each other down. Replicas meet at their own pace: what is predicted is the
/// slowest one, to which the cost of its collectives is added.
class Simulator {
 public:
  /// The settings of all calls differ in their layout, segments and buckets alone. The step with the
  /// most micro-batches is played; stages are cut for all `steps`, as the engine
  /// cuts them. `machine` and `model` outlive the simulator.
  Simulator(const Machine& machine, const plan::ModelConfig& model, model::Steps steps);

  /// Of the slowest replica. A replica of many equal micro-batches is cut short where the result is
  /// provably the same: once G + 1 groups of micro-batches in a row have ended all their actions
  /// the same time after the group before, where G groups back is as far as any action's
  /// dependencies reach, every further group repeats that (each event is a maximum of sums over
  /// those), so that the rest adds a multiple of it. Else all are played. `merge`: the buckets of a
  /// segment, which are ready together, are played as one that takes as long as all of them.
  Prediction predict(const model::TrainingSettings& settings, bool merge = false);
  /// Every micro-batch of the slowest replica.
  Simulation play(const model::TrainingSettings& settings);
  /// No layout can be faster: the busiest stage and the way of one micro-batch to it and back.
  double at_least(const model::TrainingSettings& settings);
  /// Actions that predict() would play, to bound the work before it is done.
  long work(const model::TrainingSettings& settings) const;

  const model::Steps& steps() const { return steps_; }
  const model::Cuts& cuts(int chunks);

 private:
  struct Stages;
  const UnitTimes& times(const model::TrainingSettings& settings,
                         const plan::MicroBatchShape& shape);
  StepTimes step_times(const model::TrainingSettings& settings);
  int slowest_replica(const model::TrainingSettings& settings, const StepTimes& step) const;
  std::unique_ptr<Stages> stages(const model::TrainingSettings& settings, bool merge);

  const Machine& machine_;
  const plan::ModelConfig& model_;
  model::Steps steps_;
  const std::vector<plan::MicroBatchShape>* step_;  // the largest
  bool uniform_;
  std::vector<plan::MicroBatchShape> shapes_;               // distinct
  std::vector<std::size_t> shape_of_;                       // [micro-batches of the step]
  std::map<std::pair<int, std::size_t>, UnitTimes> times_;  // (tensor ranks, shape)
  std::map<int, model::Cuts> cuts_;
};

}  // namespace vlmark::sim
