#include "src/plan/repetition.hpp"

#include <algorithm>

#include "src/plan/schedule_order.hpp"

namespace vlmark::plan {

std::optional<Repetition> repetition_of(const ScheduleShape& shape, int micro_batches) {
  const int P = shape.pipeline, V = shape.chunks;
  Repetition found;
  if (V > 1) found.group = shape.group > 0 ? shape.group : P;
  const int rest = micro_batches % found.group;
  if (micro_batches < 2 * found.group || (rest > 0 && rest < P)) return std::nullopt;
  // Passes that the first rank is ahead; then messages that slots and lagging rows let wait.
  const int ahead = V == 1 ? P - 1 : 2 * (P - 1) + (V - 1) * found.group,
            waiting = embedding_lag(shape) + shape.slots + 1, passes = found.group * V;
  found.alive = ahead / passes + 1 + (V > 1 ? 1 : 0);
  found.reach = (ahead + waiting) / passes + 2;
  return found;
}

}  // namespace vlmark::plan
