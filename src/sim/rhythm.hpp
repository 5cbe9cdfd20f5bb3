#pragma once

#include <optional>
#include <span>
#include <vector>

#include "src/plan/repetition.hpp"
#include "src/plan/replay.hpp"

namespace vlmark::sim {

/// Micro-batches, of `all`, that are enough to look for a rhythm in; `times` as many groups on each
/// try.
int enough(const plan::Repetition& repetition, int all, int times);

/// The steady part of a replayed schedule.
struct Rhythm {
  double period = 0;           ///< s from group to group
  std::vector<double> begins;  ///< [stage] end of the first action of the compared groups
};
/// The time by which every action of reach + 1 groups in a row ended after the same action of the
/// group before, if it is the same for all.
std::optional<Rhythm> rhythm_of(std::span<const plan::RankPlan* const> stages,
                                const plan::Replay& played, const plan::Repetition& repetition);

}  // namespace vlmark::sim
