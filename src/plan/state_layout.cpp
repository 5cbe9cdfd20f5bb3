#include "src/plan/state_layout.hpp"

#include <algorithm>

#include "src/base/partition.hpp"
#include "src/base/summation_tree.hpp"

namespace vlmark::plan {
namespace {

long largest_slice(const FlatLayout& layout) {
  long largest = 0;
  for (int b = 0; b < layout.buckets(); ++b) largest = std::max(largest, layout.slice(b, 0).size());
  return largest;
}

constexpr std::int64_t fp32 = 4;

}  // namespace

StateSettings training_state(DType type, bool deterministic, int micro_batches, int rank,
                             int ranks) {
  StateSettings state{type, /*training=*/true, 1, 0};
  if (!deterministic) return state;
  for (int r = 0; r < ranks; ++r) {
    const Block block = block_of(micro_batches, r, ranks);
    const JoinPlan joins = plan_joins(block.begin, block.end, micro_batches);
    if (r == rank) {
      state.gradient_buffers = std::max(joins.buffers, 1);
      state.own_subtrees = static_cast<int>(joins.results.size());
    } else {
      state.received_subtrees += static_cast<int>(joins.results.size());
    }
  }
  return state;
}

StateLayout place_state(Arena& arena, const FlatLayout& layout, const StateSettings& settings) {
  StateLayout state;
  state.parameters =
      arena.acquire(layout.size() * static_cast<std::int64_t>(size_of(settings.type)));
  if (!settings.training) return state;
  for (int i = 0; i < settings.gradient_buffers; ++i)
    state.gradients.push_back(arena.acquire(layout.size() * fp32));
  const std::int64_t slice = layout.slice_elements() * fp32;
  if (settings.type != DType::f32) state.master = arena.acquire(slice);
  state.first_moment = arena.acquire(slice);
  state.second_moment = arena.acquire(slice);
  if (settings.received_subtrees > 0)
    state.received = arena.acquire(settings.received_subtrees * largest_slice(layout) * fp32);
  return state;
}

std::vector<MemoryItem> state_memory(const FlatLayout& layout, const StateSettings& settings) {
  std::vector<MemoryItem> items{
      {"parameters", layout.size() * static_cast<std::int64_t>(size_of(settings.type))}};
  if (!settings.training) return items;
  const std::int64_t slice = layout.slice_elements() * fp32;
  items.push_back({"gradients", settings.gradient_buffers * layout.size() * fp32});
  items.push_back({"optimizer", (settings.type == DType::f32 ? 2 : 3) * slice});
  items.push_back({"received", settings.received_subtrees * largest_slice(layout) * fp32});
  return items;
}

std::int64_t staged_message_bytes(const FlatLayout& layout, const StateSettings& settings) {
  if (layout.ranks() == 1 || !settings.training) return 0;
  const std::int64_t slices =
      static_cast<std::int64_t>(settings.own_subtrees) * (layout.ranks() - 1) +
      settings.received_subtrees;
  return std::max<std::int64_t>(layout.ranks(), slices) * largest_slice(layout) * fp32;
}

}  // namespace vlmark::plan
