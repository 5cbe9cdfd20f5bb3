#include "src/plan/schedule_order.hpp"

#include <algorithm>

#include "src/base/partition.hpp"

namespace vlmark::plan {

std::vector<int> group_sizes(int micro_batches, int group, int pipeline) {
  std::vector<int> sizes;
  if (micro_batches == 0) return sizes;
  const int rest = micro_batches % group;
  if (micro_batches >= group && (rest == 0 || rest >= pipeline)) {
    sizes.assign(static_cast<std::size_t>(micro_batches / group), group);
    if (rest > 0) sizes.push_back(rest);
    return sizes;
  }
  int groups = (micro_batches + group - 1) / group;
  if (micro_batches / groups < pipeline) groups = std::max(micro_batches / group, 1);
  for (int g = 0; g < groups; ++g)
    sizes.push_back(static_cast<int>(block_of(micro_batches, g, groups).size()));
  return sizes;
}

int largest_group(int group, int pipeline) { return std::max(group, 2 * pipeline - 1); }

std::vector<ChunkPass> pass_order(const ScheduleShape& shape) {
  const int P = shape.pipeline, V = shape.chunks, group = shape.group > 0 ? shape.group : P;
  std::vector<int> sizes{shape.micro_batches()};
  if (V > 1) sizes = group_sizes(shape.micro_batches(), group, P);
  std::vector<ChunkPass> forwards, backwards;
  int first = 0, largest = 0;
  for (const int size : sizes) {
    for (int c = 0; c < V; ++c)
      for (int m = first; m < first + size; ++m) {
        forwards.push_back({false, m, c});
        backwards.push_back({true, m, V - 1 - c});
      }
    first += size;
    largest = std::max(largest, size);
  }
  const int after = P - shape.pipeline_rank - 1;
  const auto warm_up = std::min(
      static_cast<std::size_t>(V == 1 ? after : 2 * after + (V - 1) * largest), forwards.size());
  std::vector<ChunkPass> order(forwards.begin(), forwards.begin() + static_cast<long>(warm_up));
  for (std::size_t j = 0; j < backwards.size(); ++j) {
    if (warm_up + j < forwards.size()) order.push_back(forwards[warm_up + j]);
    order.push_back(backwards[j]);
  }
  return order;
}

int embedding_lag(const ScheduleShape& shape) {
  return shape.chunks > 1 ? shape.pipeline - 1 : 2 * (shape.pipeline - 1) / 3 + 1;
}

int lagging_gradients(const ScheduleShape& shape) {
  if (!shape.last_rank()) return 0;
  int most = 0;
  for (int count = 1; count <= shape.micro_batches(); ++count) {
    ScheduleShape step = shape;
    step.begin = 0;
    step.end = count;
    int open = 0;
    std::vector<std::size_t> joins;  // after which backward
    std::size_t backwards = 0, joined = 0;
    for (const auto& [backward, m, chunk] : pass_order(step)) {
      if (!backward) {
        if (chunk == shape.chunks - 1) most = std::max(most, ++open);
        continue;
      }
      if (chunk == (shape.shares_embedding() ? 0 : shape.chunks - 1))
        joins.push_back(backwards + static_cast<std::size_t>(
                                        shape.shares_embedding() ? embedding_lag(shape) : 0));
      for (; joined < joins.size() && joins[joined] <= backwards; ++joined) --open;
      ++backwards;
    }
  }
  return most;
}

}  // namespace vlmark::plan
