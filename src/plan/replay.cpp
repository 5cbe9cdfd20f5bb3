#include "src/plan/replay.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

namespace vlmark::plan {

RankPlan plan_rank(const ScheduleShape& shape) {
  RankPlan plan{shape, training_schedule(shape), {}};
  plan.waits = dependencies(plan.schedule);
  return plan;
}

namespace {

/// Messages of one kind from one rank to another, in order of their posts.
struct Channel {
  std::vector<double> sent, received;  // when each was posted
  std::size_t sends_finished = 0, receives_finished = 0;

  /// By both; by one alone in a schedule that left the other out, which check_rank names.
  double posted(std::size_t i) const {
    return std::max(i < sent.size() ? sent[i] : 0, i < received.size() ? received[i] : 0);
  }
};

/// A collective that waits for its members.
struct Meeting {
  int arrived = 0;
  double start = 0;
};

class Player {
 public:
  Player(std::span<const RankPlan* const> ranks, int columns, const ActionTime& cost,
         const ActionTime& transit)
      : ranks_(ranks),
        columns_(columns),
        pipeline_(static_cast<int>(ranks.size()) / columns),
        cost_(cost),
        transit_(transit),
        state_(ranks.size()),
        channels_(static_cast<std::size_t>(columns)) {
    for (std::size_t r = 0; r < ranks.size(); ++r) {
      const Schedule& schedule = ranks[r]->schedule;
      played_.start.emplace_back(schedule.size(), -1);
      played_.end.emplace_back(schedule.size(), -1);
      for (std::size_t i = 0; i < schedule.size(); ++i)
        state_[r].lanes[static_cast<std::size_t>(schedule[i].lane)].actions.push_back(i);
    }
  }

  Replay play() {
    for (bool moved = true; moved;) {
      moved = false;
      for (std::size_t r = 0; r < ranks_.size(); ++r)
        for (int l = 0; l < kLanes; ++l)
          while (advance(r, l)) moved = true;
    }
    name_deadlock();
    return std::move(played_);
  }

 private:
  struct LaneState {
    std::vector<std::size_t> actions;
    std::size_t next = 0;
    double free_at = 0;
    bool arrived = false;  // at the meeting of its next action
  };
  struct RankState {
    std::array<LaneState, kLanes> lanes;
    int collectives = 0, broadcasts = 0;  // ended
  };

  int stage_of(std::size_t r) const { return static_cast<int>(r) % pipeline_; }
  int column_of(std::size_t r) const { return static_cast<int>(r) / pipeline_; }
  Channel& channel(std::size_t r, const Action& a, bool sends) {
    const int me = stage_of(r);
    return channels_[static_cast<std::size_t>(column_of(r))]
                    [{a.message, sends ? me : a.peer, sends ? a.peer : me}];
  }

  /// Runs the next action of a lane if nothing holds it up.
  bool advance(std::size_t r, int l) {
    LaneState& lane = state_[r].lanes[static_cast<std::size_t>(l)];
    if (lane.next == lane.actions.size()) return false;
    const std::size_t i = lane.actions[lane.next];
    const RankPlan& plan = *ranks_[r];
    const Action& action = plan.schedule[i];
    double start = lane.free_at;
    for (const int other : plan.waits[i]) {
      const double end = played_.end[r][static_cast<std::size_t>(other)];
      if (end < 0) return false;
      start = std::max(start, end);
    }
    const double taken_up = start;
    if (!remote(r, action, lane, start)) return false;
    played_.start[r][i] = taken_up;
    lane.free_at = played_.end[r][i] = start + cost_(plan, action);
    lane.arrived = false;
    ++lane.next;
    if (action.kind == ActionKind::post_send) channel(r, action, true).sent.push_back(lane.free_at);
    if (action.kind == ActionKind::post_receive)
      channel(r, action, false).received.push_back(lane.free_at);
    return true;
  }

  /// Whether the other ranks let the action end; moves `start` to when they do.
  bool remote(std::size_t r, const Action& action, LaneState& lane, double& start) {
    switch (action.kind) {
      case ActionKind::finish_receive: {
        Channel& c = channel(r, action, false);
        if (c.receives_finished >= c.sent.size()) return false;
        start = std::max(start, c.posted(c.receives_finished++) + transit(r, action));
        return true;
      }
      case ActionKind::finish_send: {
        Channel& c = channel(r, action, true);
        if (c.sends_finished >= c.received.size()) return false;
        start = std::max(start, c.posted(c.sends_finished++) + transit(r, action));
        return true;
      }
      case ActionKind::reduce_bucket:
      case ActionKind::gather_bucket:
      case ActionKind::global_norm: {
        const bool all = action.kind == ActionKind::global_norm;
        Meeting& meeting = meetings_[{all ? -1 : stage_of(r), all ? 0 : state_[r].collectives}];
        if (!arrive(meeting, lane, start, all ? static_cast<int>(ranks_.size()) : columns_))
          return false;
        if (!all) ++state_[r].collectives;
        return true;
      }
      case ActionKind::broadcast_lengths: {
        Meeting& meeting = meetings_[{-2 - column_of(r), state_[r].broadcasts}];
        if (!arrive(meeting, lane, start, pipeline_)) return false;
        ++state_[r].broadcasts;
        return true;
      }
      default:
        return true;
    }
  }

  /// Whether all `members` have come to a meeting; moves `start` to when the last one did.
  static bool arrive(Meeting& meeting, LaneState& lane, double& start, int members) {
    if (!lane.arrived) {
      lane.arrived = true;
      ++meeting.arrived;
      meeting.start = std::max(meeting.start, start);
    }
    if (meeting.arrived < members) return false;
    start = meeting.start;
    return true;
  }

  double transit(std::size_t r, const Action& action) const {
    return transit_ ? transit_(*ranks_[r], action) : 0;
  }

  std::string name_of_rank(std::size_t r) const {
    std::string name = "stage " + std::to_string(stage_of(r));
    if (columns_ > 1) name = "replica " + std::to_string(column_of(r)) + " " + name;
    return name;
  }

  /// For which other rank the lane's next action waits; empty where it waits for none.
  std::string reason(std::size_t r, int l) {
    const LaneState& lane = state_[r].lanes[static_cast<std::size_t>(l)];
    if (lane.next == lane.actions.size()) return {};
    const std::size_t i = lane.actions[lane.next];
    const RankPlan& plan = *ranks_[r];
    const Action& action = plan.schedule[i];
    const std::string where =
        "lane " + std::string(plan::name_of(action.lane)) + " in " + to_string(action);
    for (const int other : plan.waits[i])
      if (played_.end[r][static_cast<std::size_t>(other)] < 0) return {};
    if (action.kind == ActionKind::finish_receive)
      return where + " waits for stage " + std::to_string(action.peer) + " to post_send it";
    if (action.kind == ActionKind::finish_send)
      return where + " waits for stage " + std::to_string(action.peer) + " to post_receive it";
    std::string missing;
    for (std::size_t q = 0; q < ranks_.size(); ++q) {
      const bool member =
          action.kind == ActionKind::global_norm ||
          (action.kind == ActionKind::broadcast_lengths ? column_of(q) == column_of(r)
                                                        : stage_of(q) == stage_of(r));
      if (member && !state_[q].lanes[static_cast<std::size_t>(action.lane)].arrived)
        missing += (missing.empty() ? "" : ", ") + name_of_rank(q);
    }
    return where + " waits for " + (missing.empty() ? "nobody" : missing);
  }

  void name_deadlock() {
    constexpr int most = 16;
    int named = 0, more = 0;
    for (std::size_t r = 0; r < ranks_.size(); ++r)
      for (int l = 0; l < kLanes; ++l) {
        const std::string why = reason(r, l);
        if (why.empty()) continue;
        if (named == most) {
          ++more;
          continue;
        }
        played_.deadlock += (named++ == 0 ? "deadlock: " : "; ") + name_of_rank(r) + " " + why;
      }
    if (more > 0) played_.deadlock += "; and " + std::to_string(more) + " more lanes";
  }

  std::span<const RankPlan* const> ranks_;
  int columns_, pipeline_;
  const ActionTime& cost_;
  const ActionTime& transit_;
  std::vector<RankState> state_;
  std::vector<std::map<std::tuple<Message, int, int>, Channel>> channels_;  // [column]
  // Of the data lane (stage, or -1 for all ranks; place), of the lengths (-2 - column; place).
  std::map<std::pair<int, int>, Meeting> meetings_;
  Replay played_;
};

}  // namespace

Replay replay(std::span<const RankPlan* const> ranks, int columns, const ActionTime& cost,
              const ActionTime& transit) {
  return Player(ranks, columns, cost, transit).play();
}

ScheduleStatistics schedule_statistics(std::span<const RankPlan> stages) {
  ScheduleStatistics statistics;
  std::vector<const RankPlan*> ranks;
  for (const RankPlan& plan : stages) ranks.push_back(&plan);
  const Replay played = replay(ranks, 1, [](const RankPlan& plan, const Action& action) {
    const bool backward = action.kind == ActionKind::backward;
    if (!backward && action.kind != ActionKind::forward) return 0.0;
    return (backward ? 2.0 : 1.0) / plan.shape.segments[static_cast<std::size_t>(action.chunk)];
  });
  for (std::size_t p = 0; p < stages.size(); ++p) {
    const RankPlan& plan = stages[p];
    int open = 0, most = 0;
    for (std::size_t i = 0; i < plan.schedule.size(); ++i) {
      const Action& action = plan.schedule[i];
      if (action.kind != ActionKind::forward && action.kind != ActionKind::backward) continue;
      statistics.time = std::max(statistics.time, played.end[p][i]);
      const int first = plan.shape.first_segment(action.chunk);
      if (action.segment != first) continue;
      open += action.kind == ActionKind::forward ? 1 : -1;
      most = std::max(most, open);
    }
    statistics.in_flight.push_back(most);
  }
  if (!stages.empty())
    statistics.ideal = 3.0 * stages[0].shape.micro_batches() * stages[0].shape.chunks;
  return statistics;
}

}  // namespace vlmark::plan
