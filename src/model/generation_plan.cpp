#include "src/model/generation_plan.hpp"

#include "src/model/recording_ops.hpp"
#include "src/plan/flat_layout.hpp"

namespace vlmark::model {

GenerationPlan plan_generation(const Qwen2VL& model, DType type, const MicroBatch& prompt,
                               long capacity, bool staged) {
  const plan::FlatLayout layout(model.table(), /*ranks=*/1, /*bucket_elements=*/0);
  plan::Arena arena;
  RecordingOps ops(model.table(), arena, {type, {false, false, false}, staged});
  KvCache cache = model.cache(ops, capacity);
  GenerationPlan plan;
  plan.parameter_bytes = layout.size() * static_cast<std::int64_t>(size_of(type));
  plan.cache_bytes = arena.used();
  last_logits(model, ops, prompt, cache);
  plan.answer_bytes = arena.high_water();
  plan.prefill = ops.flops();
  return plan;
}

Tensor last_logits(const Qwen2VL& model, Ops& ops, const MicroBatch& batch, KvCache& cache) {
  const int last[] = {static_cast<int>(batch.ids.size()) - 1};
  return model.logits(ops, ops.gather_rows(model.hidden(ops, batch, &cache), last));
}

}  // namespace vlmark::model
