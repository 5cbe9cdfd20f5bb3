#include "src/model/record_step.hpp"

#include <algorithm>

namespace vlmark::model {
namespace {

void append(MemoryPlan& plan, const RecordingOps& ops) {
  plan.flops += ops.flops();
  plan.records.insert(plan.records.end(), ops.records().begin(), ops.records().end());
}

}  // namespace

MemoryPlan record_training(const Qwen2VL& model, std::span<const plan::MicroBatchShape> shapes,
                           const OpsSettings& settings, plan::Recompute recompute,
                           const plan::FlatLayout& layout, const plan::StateSettings& state) {
  plan::Arena arena;
  plan::place_state(arena, layout, state);
  const std::int64_t persistent = arena.used();
  MemoryPlan plan;
  plan.items = plan::state_memory(layout, state);
  std::vector<plan::MicroBatchShape> seen;
  for (const plan::MicroBatchShape& shape : shapes) {
    if (std::find(seen.begin(), seen.end(), shape) != seen.end()) {
      plan.flops += plan::training_flops(model.config(), shape, settings.trainable);
      continue;
    }
    seen.push_back(shape);
    RecordingOps ops(model.table(), arena, settings);
    const MicroBatch batch = blank(shape, model.config());
    model.backward(ops, batch, model.forward(ops, batch, 1.0f, recompute));
    append(plan, ops);
  }
  plan.arena_bytes = arena.high_water();
  plan.items.push_back({"activations", plan.arena_bytes - persistent});
  return plan;
}

MemoryPlan record_generation(const Qwen2VL& model, const plan::MicroBatchShape& prompt,
                             long capacity, const OpsSettings& settings,
                             const plan::FlatLayout& layout) {
  plan::Arena arena;
  const plan::StateSettings state{settings.type, /*training=*/false, 0, 0};
  plan::place_state(arena, layout, state);
  const std::int64_t parameters = arena.used();
  MemoryPlan plan;
  plan.items = plan::state_memory(layout, state);
  RecordingOps ops(model.table(), arena, settings);
  {
    KvCache cache = model.cache(ops, capacity);
    const std::int64_t cache_bytes = arena.used() - parameters;
    const MicroBatch batch = blank(prompt, model.config());
    const int last[] = {static_cast<int>(prompt.tokens()) - 1};
    model.logits(ops, ops.gather_rows(model.hidden(ops, batch, &cache), last));
    plan.items.push_back({"kv_cache", cache_bytes});
  }
  append(plan, ops);
  plan.arena_bytes = arena.high_water();
  std::int64_t named = 0;
  for (const auto& item : plan.items) named += item.bytes;
  plan.items.push_back({"activations", plan.arena_bytes - named});
  return plan;
}

}  // namespace vlmark::model
