#include "src/engine/training_engine.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "kernels/reduce.hpp"
#include "src/base/clock.hpp"
#include "src/engine/executing_ops.hpp"
#include "src/engine/fingerprint.hpp"
#include "src/engine/flat_parameters.hpp"
#include "src/engine/gradient_reducer.hpp"
#include "src/engine/inference_over.hpp"
#include "src/engine/lanes.hpp"
#include "src/engine/optimizer.hpp"
#include "src/engine/staged_communicator.hpp"

namespace vlmark::engine {
namespace {

using plan::ActionKind;

/// The groups that some micro-batch of the step gives a gradient.
plan::Trainable touched_by(const std::vector<plan::MicroBatchShape>& shapes,
                           const plan::Trainable& trainable) {
  plan::Trainable touched{false, false, false};
  for (const plan::MicroBatchShape& shape : shapes) {
    if (!plan::needs_backward(shape, trainable)) continue;
    touched.llm |= trainable.llm;
    if (shape.media.empty()) continue;
    touched.vit |= trainable.vit;
    touched.merger |= trainable.merger;
  }
  return touched;
}

template <class T>
class Engine final : public TrainingEngine {
 public:
  Engine(const model::Qwen2VL& model, const model::TrainingSettings& settings,
         std::int64_t arena_bytes, const plan::StateSettings& state, int micro_batches,
         parallel::Communicator& comm, Patience patience)
      : model_(model),
        settings_(settings),
        comm_(comm),
        compute_(compute_queue()),
        exec_(exec_on(*compute_)),
        layout_(model.table(), comm.size(), settings.bucket_elements),
        state_(plan::place_state(arena_, layout_, state)),
        memory_(arena_bytes),
        staging_(settings.staged),
        staged_comm_(settings.staged && !settings.device_transport
                         ? staged_communicator(comm, plan::staged_message_bytes(layout_, state))
                         : nullptr),
        parameters_(model.table(), layout_, memory_.at<T>(state_.parameters), nullptr),
        ops_(exec_, model.table(), arena_, memory_, staging_, parameters_, settings.ops()),
        reducer_(exec_, layout_, state_, memory_, memory_comm(), micro_batches,
                 settings.deterministic),
        optimizer_(exec_, model.table(), layout_, state_, memory_, staging_, comm, memory_comm(),
                   settings.optimizer),
        messages_(message_queue("messages", comm.size())),
        executor_({compute_.get(), messages_.get(), messages_.get(), messages_.get()}, patience) {
    expects(!settings.device_transport || comm.carries_device_memory());
  }

  void set_parameters(const plan::TensorFill& fill) override {
    fill_flat(model_.table(), layout_, fill, staging_, flat());
    optimizer_.reset();
  }
  void visit_parameters(const plan::TensorVisit& visit) const override {
    visit_flat(model_.table(), layout_, flat(), staging_, visit);
  }
  void visit_owned_master(const plan::TensorVisit& visit) const override {
    visit_owned([this](int b) { return optimizer_.master(b); }, visit);
  }
  void visit_owned_gradients(const plan::TensorVisit& visit) const override {
    visit_owned([this](int b) { return reducer_.reduced() + layout_.slice(b, comm_.rank()).begin; },
                visit);
  }
  std::unique_ptr<InferenceEngine> inference() override {
    return inference_over(model_, layout_, flat(), settings_.staged);
  }
  StepResult step(const StepInput& input) override;

  std::uint64_t parameter_hash() const override {
    std::uint64_t hash = 0;
    staging_.visit(exec_, static_cast<const T*>(flat()), static_cast<std::size_t>(layout_.size()),
                   [&hash](std::span<const T> values, std::size_t first) {
                     hash += fingerprint(values, static_cast<long>(first));
                   });
    return hash;
  }
  std::uint64_t state_hash() const override { return optimizer_.state_hash(); }
  std::size_t non_finite_parameters() const override {
    return kernels::count_non_finite(
        exec_, kernels::Vec<const T>(flat(), static_cast<std::size_t>(layout_.size())));
  }

 private:
  T* flat() const { return memory_.at<T>(state_.parameters); }
  void run(const plan::Action& action, const StepInput& input);
  /// What carries messages of kernel memory.
  parallel::Communicator& memory_comm() { return staged_comm_ ? *staged_comm_ : comm_; }
  /// Walks the owned slices tensor by tensor; `slice_of` gives the first element of a bucket's.
  void visit_owned(const std::function<const float*(int bucket)>& slice_of,
                   const plan::TensorVisit& visit) const;

  const model::Qwen2VL& model_;
  model::TrainingSettings settings_;
  parallel::Communicator& comm_;
  std::unique_ptr<Queue> compute_;
  kernels::Exec exec_;
  plan::FlatLayout layout_;
  plan::Arena arena_;
  plan::StateLayout state_;
  ArenaMemory memory_;
  Staging staging_;
  std::unique_ptr<parallel::Communicator> staged_comm_;
  ParameterStore<T> parameters_;
  ExecutingOps<T> ops_;
  GradientReducer reducer_;
  Optimizer<T> optimizer_;
  std::unique_ptr<Queue> messages_;  // ends before what its work uses
  Executor executor_;

  // Of the step that runs.
  model::MicroBatch batch_;
  std::optional<model::Saved> saved_;
  std::vector<double> loss_sums_;  // [micro-batches of the step]
  float loss_scale_ = 0;
  double loss_sum_ = 0, norm_ = 0;
};

template <class T>
void Engine<T>::visit_owned(const std::function<const float*(int bucket)>& slice_of,
                            const plan::TensorVisit& visit) const {
  for (int b = 0; b < layout_.buckets(); ++b) {
    const plan::Range slice = layout_.slice(b, comm_.rank());
    for (const plan::LogicalTensor& tensor : model_.table().tensors) {
      const plan::Range whole = layout_.range(tensor), part = plan::overlap(whole, slice);
      if (part.size() == 0) continue;
      staging_.visit(exec_, slice_of(b) + (part.begin - slice.begin),
                     static_cast<std::size_t>(part.size()),
                     [&](std::span<const float> values, std::size_t first) {
                       visit(tensor, part.begin - whole.begin + static_cast<long>(first), values);
                     });
    }
  }
}

template <class T>
StepResult Engine<T>::step(const StepInput& input) {
  const int micro_batches = static_cast<int>(input.shapes.size());
  long supervised = 0;
  for (const auto& shape : input.shapes) supervised += shape.supervised;
  loss_scale_ = supervised == 0 ? 0 : static_cast<float>(1.0 / static_cast<double>(supervised));
  loss_sums_.assign(input.shapes.size(), 0);
  optimizer_.begin_step(touched_by(input.shapes, settings_.trainable));
  reducer_.begin_step(micro_batches);

  StepResult result;
  result.start_ns = monotonic_ns();
  result.actions =
      executor_.execute(plan::one_stage(reducer_.begin(), reducer_.end(), layout_.buckets()),
                        [&](const plan::Action& action) { run(action, input); });
  result.end_ns = monotonic_ns();
  result.loss = supervised == 0 ? 0 : loss_sum_ / static_cast<double>(supervised);
  result.grad_norm = norm_;
  return result;
}

template <class T>
void Engine<T>::run(const plan::Action& action, const StepInput& input) {
  const int m = action.micro_batch, b = action.bucket;
  switch (action.kind) {
    case ActionKind::load:
      batch_ = input.load(m);
      if (batch_.shape != input.shapes[static_cast<std::size_t>(m)])
        throw ShapeError("load: micro-batch " + std::to_string(m) +
                         " is not of the planned shape (ranks would disagree about the step). "
                         "Build the shard index anew");
      break;
    case ActionKind::forward:
      parameters_.set_gradients(reducer_.buffer(m));
      saved_ = model_.forward(ops_, batch_, loss_scale_, settings_.recompute);
      loss_sums_[static_cast<std::size_t>(m)] = saved_->loss_sum;
      break;
    case ActionKind::backward:
      model_.backward(ops_, batch_, *std::exchange(saved_, std::nullopt));
      break;
    case ActionKind::join_gradients:
      reducer_.join(m);
      break;
    case ActionKind::reduce_bucket:
      reducer_.exchange(b);
      break;
    case ActionKind::join_bucket:
      reducer_.join_bucket(b);
      break;
    case ActionKind::square_sums:
      optimizer_.sum_squares(reducer_.reduced());
      break;
    case ActionKind::global_norm:
      norm_ = optimizer_.global_norm();
      // Every micro-batch has one owner and the others hold zero: this sum is exact.
      comm_.all_reduce(parallel::buffer(loss_sums_), parallel::Reduce::sum).wait();
      loss_sum_ = tree_sum(loss_sums_);
      break;
    case ActionKind::optimizer_slice:
      optimizer_.update(b, reducer_.reduced(), norm_, input.learning_rate);
      break;
    case ActionKind::gather_bucket:
      optimizer_.gather(b);
      break;
  }
}

}  // namespace

std::unique_ptr<TrainingEngine> make_training_engine(const model::Qwen2VL& model,
                                                     const model::TrainingSettings& settings,
                                                     const model::MemoryPlan& plan,
                                                     int micro_batches,
                                                     parallel::Communicator& comm,
                                                     Patience patience) {
  const plan::StateSettings state = plan::training_state(settings.type, settings.deterministic,
                                                         micro_batches, comm.rank(), comm.size());
  if (settings.type == DType::f32)
    return std::make_unique<Engine<float>>(model, settings, plan.arena_bytes, state, micro_batches,
                                           comm, patience);
  return std::make_unique<Engine<bf16>>(model, settings, plan.arena_bytes, state, micro_batches,
                                        comm, patience);
}

}  // namespace vlmark::engine
