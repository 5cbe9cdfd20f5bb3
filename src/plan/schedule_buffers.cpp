#include "src/plan/schedule_buffers.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "src/base/contracts.hpp"

namespace vlmark::plan {

GradientBuffers gradient_buffers(const Schedule& schedule, int segment, const ScheduleShape& shape,
                                 int micro_batches) {
  const JoinPlan plan = plan_joins(shape.begin, shape.end, micro_batches);
  const auto count = static_cast<std::size_t>(shape.micro_batches());
  GradientBuffers found;
  found.buffer_of.assign(count, -1);
  found.joins.resize(count);
  found.results = plan.results;
  std::set<int> free;
  std::vector<int> place(static_cast<std::size_t>(plan.buffers));  // [buffer of the plan]
  std::size_t joined = 0;
  for (const Action& action : schedule) {
    for (const BufferId buffer : action.writes) {
      if (buffer.kind != BufferId::Kind::gradient || buffer.part != segment) continue;
      int& own = found.buffer_of[static_cast<std::size_t>(buffer.index - shape.begin)];
      if (own >= 0) continue;
      if (free.empty()) free.insert(found.buffers++);
      own = *free.begin();
      free.erase(free.begin());
    }
    if (action.kind != ActionKind::join_gradients || action.segment != segment) continue;
    const auto k = static_cast<std::size_t>(action.micro_batch - shape.begin);
    ensures(k == joined);  // the tree is joined in order
    ++joined;
    place[static_cast<std::size_t>(plan.buffer_of_input[k])] = found.buffer_of[k];
    for (const auto& [into, from] : plan.joins_after_input[k]) {
      found.joins[k].push_back(
          {place[static_cast<std::size_t>(into)], place[static_cast<std::size_t>(from)]});
      free.insert(place[static_cast<std::size_t>(from)]);
    }
  }
  found.buffer_of_result.assign(place.begin(),
                                place.begin() + static_cast<long>(plan.results.size()));
  return found;
}

GradientBuffers joined_buffers(const ScheduleShape& shape, int micro_batches) {
  JoinPlan plan = plan_joins(shape.begin, shape.end, micro_batches);
  GradientBuffers found;
  found.buffers = plan.buffers;
  found.buffer_of = std::move(plan.buffer_of_input);
  found.joins = std::move(plan.joins_after_input);
  found.results = std::move(plan.results);
  for (std::size_t i = 0; i < found.results.size(); ++i)
    found.buffer_of_result.push_back(static_cast<int>(i));
  return found;
}

}  // namespace vlmark::plan
