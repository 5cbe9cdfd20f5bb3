#pragma once

#include <optional>

#include "src/plan/schedule_shape.hpp"

namespace vlmark::plan {

/// How the micro-batches of a replica repeat each other in its schedule.
struct Repetition {
  int group = 1;  ///< micro-batches that go through a chunk before the next chunk begins
  int alive = 1;  ///< groups of which activations can live at once, on any rank
  int reach = 1;  ///< groups back or ahead, at most, that an action waits for
};
/// None where not all groups but the last are of one size, or where there is but one.
std::optional<Repetition> repetition_of(const ScheduleShape& shape, int micro_batches);

}  // namespace vlmark::plan
