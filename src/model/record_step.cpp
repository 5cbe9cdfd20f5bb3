#include "src/model/record_step.hpp"

#include <algorithm>

namespace vlmark::model {

MemoryPlan record_training(const Qwen2VL& model, std::span<const plan::MicroBatchShape> shapes,
                           const OpsSettings& settings, plan::Recompute recompute,
                           const plan::FlatLayout& layout, const plan::StateSettings& state,
                           bool staged_messages) {
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
    plan.flops += ops.flops();
    if (ops.attention_scratch().bytes > plan.attention.bytes)
      plan.attention = ops.attention_scratch();
    plan.records.insert(plan.records.end(), ops.records().begin(), ops.records().end());
  }
  plan.arena_bytes = arena.high_water();
  if (settings.staged)
    plan.items.push_back(
        {"staging", plan::staging_piece_bytes +
                        (staged_messages ? plan::staged_message_bytes(layout, state) : 0)});
  plan.items.push_back({"activations", plan.arena_bytes - persistent});
  return plan;
}

}  // namespace vlmark::model
