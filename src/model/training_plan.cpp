#include "src/model/training_plan.hpp"

namespace vlmark::model {

MemoryPlan plan_training(const Qwen2VL& model, const TrainingSettings& settings,
                         std::span<const plan::MicroBatchShape> shapes, int micro_batches, int rank,
                         int ranks) {
  const plan::FlatLayout layout(model.table(), ranks, settings.bucket_elements);
  return record_training(
      model, shapes, settings.ops(), settings.recompute, layout,
      plan::training_state(settings.type, settings.deterministic, micro_batches, rank, ranks),
      settings.staged && !settings.device_transport);
}

}  // namespace vlmark::model
