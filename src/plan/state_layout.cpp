#include "src/plan/state_layout.hpp"

#include <algorithm>
#include <bit>

#include "src/base/contracts.hpp"
#include "src/base/partition.hpp"
#include "src/base/summation_tree.hpp"

namespace vlmark::plan {
namespace {

constexpr std::int64_t fp32 = 4;

}  // namespace

StateSettings training_state(DType type, DType state_type, bool deterministic, int micro_batches,
                             int rank, int ranks) {
  expects(state_type == DType::f32 || type == state_type);
  StateSettings state{.type = type, .state = state_type};
  if (!deterministic) {
    // No transport adds bf16: each rank's sum is a leaf of a tree over the ranks.
    if (state_type == DType::bf16 && ranks > 1) {
      state.own_subtrees = 1;
      state.received_subtrees = ranks - 1;
    }
    return state;
  }
  // Aligned blocks of a power of two are one subtree each: no need to look at thousands of ranks.
  const bool aligned = micro_batches % ranks == 0 &&
                       std::has_single_bit(static_cast<unsigned>(micro_batches / ranks));
  if (aligned) state.received_subtrees = ranks - 1;
  for (int r = aligned ? rank : 0; r < (aligned ? rank + 1 : ranks); ++r) {
    const Block block = block_of(micro_batches, r, ranks);
    if (r != rank) {
      state.received_subtrees +=
          static_cast<int>(subtrees(block.begin, block.end, micro_batches).size());
      continue;
    }
    const JoinPlan joins = plan_joins(block.begin, block.end, micro_batches);
    state.gradient_buffers = std::max(joins.buffers, 1);
    state.own_subtrees = static_cast<int>(joins.results.size());
  }
  return state;
}

namespace {

/// Every persistent buffer, in the order in which they lie: add(category, bytes) gives its place.
template <class Add>
StateLayout lay_out(const FlatLayout& layout, const StateSettings& settings, const Add& add) {
  StateLayout state;
  state.parameters = add("parameters", layout.parameter_elements() *
                                           static_cast<std::int64_t>(size_of(settings.type)));
  if (!settings.training) return state;
  const auto element = static_cast<std::int64_t>(size_of(settings.state));
  for (int i = 0; i < settings.gradient_buffers; ++i)
    state.gradients.push_back(add("gradients", layout.size() * element));
  for (const int extra : settings.extra_gradients) {
    const std::int64_t bytes =
        layout.segment(static_cast<int>(state.extra_gradients.size())).size() * element;
    auto& places = state.extra_gradients.emplace_back();
    for (int i = 0; i < extra; ++i) places.push_back(add("gradients", bytes));
  }
  if (settings.forming_elements > 0)
    state.forming = add("gradients", settings.forming_elements * fp32);
  const std::int64_t slice = layout.slice_elements() * element;
  if (settings.type != settings.state) state.master = add("optimizer", slice);
  state.first_moment = add("optimizer", slice);
  state.second_moment = add("optimizer", slice);
  for (int i = 0; settings.received_subtrees > 0 && i < received_places(layout, settings); ++i)
    state.received.push_back(add("received", settings.received_subtrees * layout.largest_bucket() /
                                                 layout.ranks() * element));
  if (settings.tensor_ranks > 1)
    state.shared = add("received", settings.tensor_ranks * shared_piece * fp32);
  state.block_sums = add("norm", layout.size() / FlatLayout::block * 8);
  for (int i = 0; i < settings.slots; ++i)
    state.slots.push_back(add("stage messages", settings.slot_elements * fp32));
  return state;
}

}  // namespace

int received_places(const FlatLayout& layout, const StateSettings& settings) {
  // Without subtrees nothing is kept, and buckets need not wait for each other.
  return settings.received_subtrees > 0 ? std::min(2, layout.buckets()) : layout.buckets();
}

StateLayout place_state(Arena& arena, const FlatLayout& layout, const StateSettings& settings) {
  return lay_out(layout, settings,
                 [&arena](const char*, std::int64_t bytes) { return arena.acquire(bytes); });
}

std::vector<MemoryItem> state_memory(const FlatLayout& layout, const StateSettings& settings) {
  std::vector<MemoryItem> items;
  lay_out(layout, settings, [&items](const char* category, std::int64_t bytes) {
    if (items.empty() || items.back().category != category) items.push_back({category, 0});
    items.back().bytes += bytes;
    return std::int64_t{0};
  });
  return items;
}

std::int64_t staged_message_bytes(const FlatLayout& layout, const StateSettings& settings) {
  if (layout.ranks() == 1 || !settings.training) return 0;
  const std::int64_t slices =
      static_cast<std::int64_t>(settings.own_subtrees) * (layout.ranks() - 1) +
      settings.received_subtrees;
  return std::max<std::int64_t>(layout.ranks(), slices) * layout.largest_bucket() / layout.ranks() *
         static_cast<std::int64_t>(size_of(settings.state));
}

}  // namespace vlmark::plan
