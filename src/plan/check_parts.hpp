#pragma once

#include <span>
#include <string>
#include <vector>

#include "src/plan/layout.hpp"
#include "src/plan/replay.hpp"

namespace vlmark::plan {

/// Sends against receives between the ranks of one pipeline [stage]: on every way and of every kind
/// the same messages in the same order.
std::vector<std::string> check_messages(std::span<const RankPlan* const> stages);

/// Collectives of every data-parallel, tensor-parallel and pipeline group of a layout: the same on all
/// members in the same order. Layers talk to their tensor group inside the passes of the compute lane, so
/// the passes are compared, too.
std::vector<std::string> check_collectives(const Layout& layout,
                                           std::span<const RankPlan* const> of_rank);

}  // namespace vlmark::plan
