#pragma once

#include <deque>
#include <span>
#include <string>
#include <vector>

#include "src/plan/layout.hpp"
#include "src/plan/replay.hpp"

namespace vlmark::plan {

/// Everything that is wrong with the schedule of one rank, each with the actions and buffers it is
/// about; empty means sound. Plays it in order of issue with the contents of every buffer:
///
/// - every micro-batch is loaded once and goes forward and backward once through each segment; every
///   bucket is reduced, joined, updated and gathered once; nothing else is there;
/// - nothing is read before it was written or after it was freed (an activation by its backward, a
///   receive slot by the pass that reads it, a send slot by finish_send), a slot holds the message
///   that the pass needs, and no memory is written while a message is under way in it;
/// - parameters are whole where they are read, gradients joined where they are reduced;
/// - no two lanes touch a buffer unordered, so that any timing gives what this order gives.
std::vector<std::string> check_rank(const RankPlan& plan);

/// The same of all ranks of a pipeline, and between them: every message meets its receive in order,
/// and nothing stands still for ever, named by who waits for whom.
std::vector<std::string> check(std::span<const RankPlan> stages);

/// All ranks of a layout [layout.ranks()], whose plans may be shared: equal ones are looked at once.
/// Also: the collectives of every data-parallel, tensor-parallel and pipeline group are the same on all
/// its members in the same order, and all replicas together come to an end.
std::vector<std::string> check(const Layout& layout, std::span<const RankPlan* const> of_rank);

/// One plan for each pipeline rank and number of micro-batches in a replica, and who runs which.
/// Micro-batches are counted from 0 in each replica.
struct LayoutSchedules {
  std::deque<RankPlan> plans;
  std::vector<const RankPlan*> of_rank;
};
/// `stages` [layout.pipeline]: the shapes of the pipeline ranks, micro-batches left open.
LayoutSchedules schedules_of(const Layout& layout, std::span<const ScheduleShape> stages,
                             int micro_batches);

}  // namespace vlmark::plan
