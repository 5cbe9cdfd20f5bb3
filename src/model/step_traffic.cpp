#include "src/model/step_traffic.hpp"

#include <algorithm>

#include "src/base/summation_tree.hpp"
#include "src/model/stage_passes.hpp"

namespace vlmark::model {
namespace {

using plan::Action;
using plan::ActionKind;

constexpr std::uint64_t fp32 = 4;
/// Hash of the step and its complement, compared before anything else.
constexpr std::uint64_t same_step_bytes = 16;

std::uint64_t bytes(long elements, std::uint64_t size) {
  return static_cast<std::uint64_t>(elements) * size;
}

}  // namespace

ActionTraffic::ActionTraffic(const Qwen2VL& model, const TrainingSettings& settings,
                             const RankPlan& plan, int micro_batches)
    : model_(model),
      settings_(settings),
      plan_(plan),
      shape_(plan.schedule(model, settings, micro_batches)),
      micro_batches_(micro_batches),
      shared_(plan::shared_runs(model.table(), plan.layout)) {}

std::uint64_t ActionTraffic::reduce(int b) const {
  const int replicas = settings_.layout.data;
  if (replicas == 1) return 0;
  const DType type = settings_.optimizer.state;
  // A transport cannot add bf16: then each replica's sum travels to the owner.
  if (!settings_.deterministic && type == DType::f32)
    return bytes(plan_.layout.bucket(b).size(), fp32);
  const auto nodes =
      settings_.deterministic ? subtrees(shape_.begin, shape_.end, micro_batches_).size() : 1;
  return bytes(plan_.layout.slice(b, 0).size(), size_of(type)) * nodes *
         static_cast<std::uint64_t>(replicas - 1);
}

std::uint64_t ActionTraffic::gather(int b) const {
  if (settings_.layout.data == 1) return 0;
  return bytes(plan_.layout.slice(b, 0).size(), size_of(settings_.type));
}

std::uint64_t ActionTraffic::shared(int b, plan::Sharing sharing) const {
  const plan::Range slice = plan_.layout.slice(b, plan_.place.data);
  std::uint64_t sum = 0;
  for (const plan::SharedRun& run : shared_) {
    if (run.sharing != sharing) continue;
    sum += bytes(overlap(run.range, slice).size(), fp32) *
           static_cast<std::uint64_t>(run.holders.size() - 1);
  }
  return sum;
}

std::uint64_t ActionTraffic::share(int b) const {
  return shared(b, plan::Sharing::shared_heads) +
         (settings_.average_every > 0 ? 0 : shared(b, plan::Sharing::replicated));
}

std::uint64_t ActionTraffic::average(int b) const {
  return plan::optimizer_values * shared(b, plan::Sharing::replicated);
}

std::uint64_t ActionTraffic::norm() const {
  const plan::Layout& grid = settings_.layout;
  const long losses = micro_batches_, blocks = plan_.layout.size() / plan::FlatLayout::block,
             parameters = long{model_.table().whole_parameters} * grid.tensor;
  std::uint64_t sum = grid.ranks() > 1 ? same_step_bytes : 0;
  if (grid.data > 1) sum += bytes(blocks + losses, sizeof(double));
  if (grid.pipeline * grid.tensor > 1) sum += bytes(parameters + losses, sizeof(double));
  return sum;
}

std::uint64_t ActionTraffic::lengths(const plan::MicroBatchShape& shape) const {
  return shape_.first_rank() ? plan::lengths_bytes(shape) : 0;
}

std::uint64_t ActionTraffic::embedding_weights() const {
  return bytes(model_.table()[model_.table().embedding].size(), size_of(settings_.type));
}

StepTraffic step_traffic(const Qwen2VL& model, const TrainingSettings& settings,
                         const RankPlan& plan, std::span<const plan::MicroBatchShape> step,
                         long number) {
  const int micro_batches = static_cast<int>(step.size());
  const ActionTraffic messages(model, settings, plan, micro_batches);
  const plan::ScheduleShape shape = plan.schedule(model, settings, micro_batches, number);
  plan::Arena arena;
  const plan::StateLayout state = plan::place_state(arena, plan.layout, plan.state);
  RecordingOps ops(model.table(), arena, settings.ops(plan.place.tensor));
  StagePasses passes(model, shape, state, settings.recompute);
  StepTraffic traffic;
  for (const Action& action : plan::training_schedule(shape)) {
    switch (action.kind) {
      case ActionKind::load:
        passes.load(action.micro_batch, blank(step[static_cast<std::size_t>(action.micro_batch)],
                                              model.config(), model.contents()));
        break;
      case ActionKind::broadcast_lengths:
        traffic.pipeline += messages.lengths(step[static_cast<std::size_t>(action.micro_batch)]);
        break;
      case ActionKind::reduce_bucket:
        traffic.data += messages.reduce(action.bucket);
        break;
      case ActionKind::gather_bucket:
        traffic.data += messages.gather(action.bucket);
        break;
      case ActionKind::sum_replicated:
        traffic.tensor += messages.share(action.bucket);
        break;
      case ActionKind::average_replicated:
        traffic.tensor += messages.average(action.bucket);
        break;
      case ActionKind::global_norm:
        traffic.norm += messages.norm();
        break;
      case ActionKind::post_send:
        traffic.pipeline += action.message == plan::Message::embedding_weights
                                ? messages.embedding_weights()
                                : bytes(passes.elements(ops, passes.batch(action.micro_batch).shape,
                                                        action.message),
                                        fp32);
        break;
      default:
        if (StagePasses::runs(action.kind)) passes.run(ops, action, 1.0f);
    }
  }
  for (const CommunicationRecord& record : ops.communication()) traffic.tensor += record.sent_bytes;
  return traffic;
}

}  // namespace vlmark::model
