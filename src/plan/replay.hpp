#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "src/plan/dependencies.hpp"
#include "src/plan/schedule_shape.hpp"

namespace vlmark::plan {

/// What one rank runs in a step.
struct RankPlan {
  ScheduleShape shape;
  Schedule schedule;
  Waits waits;
};
/// training_schedule and its dependencies.
RankPlan plan_rank(const ScheduleShape& shape);

struct Replay {
  /// [rank][action]: when its lane takes it up, and when it has ended, waiting for other ranks
  /// included; -1: never.
  std::vector<std::vector<double>> start, end;
  std::string deadlock;  ///< empty, or which rank stands where and for whom it waits
};

using ActionTime = std::function<double(const RankPlan&, const Action&)>;

/// Plays `columns` replicas of one pipeline forward in time: lanes in order, waits as given, posts
/// at once. A message is on its way from when both its send and its receive have been posted (no
/// memory in between: the worst case of a transport); both are finished when it has arrived.
/// Collectives of the data lane start when every column is there, the global norm when every rank
/// is, and a broadcast of lengths when every stage of its column is. `ranks` [column * pipeline + stage]. `cost` is the time of an action itself, `transit` that
/// of the message which a finish_receive or finish_send waits for (default: none).
Replay replay(std::span<const RankPlan* const> ranks, int columns, const ActionTime& cost,
              const ActionTime& transit = {});

/// What a schedule is like when a forward of a chunk takes 1, a backward 2 and all else nothing.
struct ScheduleStatistics {
  std::vector<int> in_flight;  ///< [stage]: most chunks that wait for their backward at once
  double time = 0;             ///< until the last pass has ended
  double ideal = 0;            ///< 3 * micro-batches * chunks
  double bubble() const { return ideal > 0 ? time / ideal - 1 : 0; }
};
ScheduleStatistics schedule_statistics(std::span<const RankPlan> stages);

}  // namespace vlmark::plan
