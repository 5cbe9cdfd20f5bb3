#include "src/engine/training_engine.hpp"

#include "kernels/reduce.hpp"
#include "parallel/scalars.hpp"
#include "src/base/clock.hpp"
#include "src/engine/awaited.hpp"
#include "src/engine/collect.hpp"
#include "src/engine/executing_ops.hpp"
#include "src/engine/fingerprint.hpp"
#include "src/engine/flat_parameters.hpp"
#include "src/engine/gradient_norm.hpp"
#include "src/engine/gradient_reducer.hpp"
#include "src/engine/gradient_sum_check.hpp"
#include "src/engine/inference_over.hpp"
#include "src/engine/lanes.hpp"
#include "src/engine/optimizer.hpp"
#include "src/engine/same_step.hpp"
#include "src/engine/shared_parameters.hpp"
#include "src/engine/stage_messages.hpp"
#include "src/engine/stage_shapes.hpp"
#include "src/engine/staged_communicator.hpp"
#include "src/engine/state_copy.hpp"
#include "src/engine/watchdog.hpp"
#include "src/plan/replay.hpp"

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

/// T: type of parameters and activations, S: of summed gradients and optimizer.
template <class T, class S>
class Engine final : public TrainingEngine {
 public:
  Engine(const model::Qwen2VL& model, const model::TrainingSettings& settings,
         const model::MemoryPlan& plan, parallel::Communicator& world, Patience patience)
      : model_(model),
        settings_(settings),
        rank_(model, settings, plan.most_micro_batches, world.rank(), plan.slot_rows),
        slot_rows_(plan.slot_rows),
        groups_(parallel::make_groups(world,
                                      {rank_.place.data, rank_.place.pipeline, rank_.place.tensor},
                                      settings.layout.pipeline, settings.layout.tensor)),
        compute_(compute_queue()),
        exec_(exec_on(*compute_)),
        state_(plan::place_state(arena_, rank_.layout, rank_.state)),
        memory_(plan.arena_bytes),
        staging_(settings.staged),
        staged_data_(settings.staged && !settings.device_transport
                         ? staged_communicator(
                               *groups_.data, plan::staged_message_bytes(rank_.layout, rank_.state))
                         : nullptr),
        parameters_(model.table(), rank_.layout, flat()),
        ops_(exec_, model.table(), arena_, memory_, staging_, parameters_,
             settings.ops(rank_.place.tensor),
             settings.layout.tensor > 1 ? groups_.tensor.get() : nullptr),
        reducer_(exec_, rank_.layout, state_, memory_, data_memory(), rank_.most,
                 settings.deterministic,
                 GradientSum<S>(exec_, model.table(), rank_.layout, settings.optimizer.seed),
                 rank_.forming),
        shared_(exec_, model.table(), rank_.layout, state_, memory_, rank_.place.data,
                settings.average_every > 0, *groups_.tensor),
        norm_(exec_, model.table(), rank_.layout, state_, memory_, staging_,
              settings.average_every > 0, *groups_.data, *groups_.model),
        optimizer_(exec_, model.table(), rank_.layout, state_, memory_, staging_, data_memory(),
                   settings.optimizer, settings.average_every > 0),
        data_lane_(message_queue("data", world.size())),
        pipeline_lane_(message_queue("pipeline", settings.layout.pipeline)),
        executor_(
            {compute_.get(), compute_.get(), pipeline_lane_.get(), data_lane_.get()},
            {.progress = patience.progress + std::chrono::seconds(10), .drain = patience.drain}),
        watchdog_(
            patience.progress, parallel::make_alarm(world), [this] { return executor_.progress(); },
            [this] {
              return executor_.where([this](const plan::Action& action) {
                return awaited(action, settings_.layout, rank_.place);
              });
            }) {
    expects(!settings.device_transport || world.carries_device_memory());
    if (settings.staged && !settings.device_transport) require_staged_layout(settings.layout);
  }

  void set_parameters(const plan::TensorFill& fill) override {
    fill_flat(model_.table(), rank_.layout, fill, staging_, flat());
    optimizer_.reset();
    sliced_ = parted_ = false;
    steps_ = 0;
  }
  void gather_parameters() override;
  void visit_parameters(const plan::TensorVisit& visit) const override {
    expects(!sliced_);
    visit_flat(model_.table(), rank_.layout, flat(), staging_, visit);
  }
  void collect_parameters(const plan::TensorVisit& visit) override {
    gather_parameters();
    if (rank_.place.data != 0) return;
    collect(
        *groups_.model, plan::ParameterTable(model_.config()), model_.table(),
        [this](const plan::TensorVisit& take) { visit_parameters(take); }, visit);
  }
  void visit_owned(plan::OptimizerValue value, const plan::TensorVisit& visit) const override {
    visit_slices(
        exec_, model_.table(), rank_.layout, rank_.place.data,
        [&](int b) { return optimizer_.values(b)[static_cast<int>(value)]; }, staging_, visit);
  }
  void visit_owned_gradients(const plan::TensorVisit& visit) const override {
    visit_slices(
        exec_, model_.table(), rank_.layout, rank_.place.data,
        [this](int b) {
          return reducer_.reduced() + rank_.layout.slice(b, rank_.place.data).begin;
        },
        staging_, visit);
  }
  std::unique_ptr<InferenceEngine> inference() override {
    expects(!sliced_);
    return inference_over(model_, rank_.layout, flat(), settings_.staged);
  }
  std::size_t state_bytes() const override { return state().bytes(); }
  void save_state(std::span<std::byte> to) const override {
    state().save(exec_, {optimizer_.counts(), reducer_.steps(), sliced_, parted_, steps_}, to);
  }
  void restore_state(std::span<const std::byte> from) override {
    const Counted known = state().restore(exec_, from);
    optimizer_.set_counts(known.updates);
    reducer_.set_steps(known.sums);
    sliced_ = known.sliced;
    parted_ = known.parted;
    steps_ = known.steps;
  }
  StepResult step(const StepInput& input) override;

  std::uint64_t parameter_hash() const override {
    std::uint64_t hash = 0;
    staging_.visit(exec_, static_cast<const T*>(flat()), parameter_count(),
                   [&hash](std::span<const T> values, std::size_t first) {
                     hash += fingerprint(values, static_cast<long>(first));
                   });
    return hash;
  }
  void visit_communicators(const VisitCommunicator& visit) override {
    const long bucket = rank_.layout.largest_bucket();
    for (const auto& [name, group] : parallel::named(groups_))
      visit(name, *group, group == groups_.data.get() ? bucket : rank_.state.slot_elements);
  }
  std::uint64_t wrong_gradient_sums() override {
    return engine::wrong_gradient_sums(reducer_, plan_, static_cast<int>(loss_sums_.size()),
                                       model_.table(), rank_.layout, rank_.place.data, exec_,
                                       staging_);
  }
  int differing_ranks() override;
  std::uint64_t state_hash() const override { return optimizer_.state_hash(); }
  std::size_t non_finite_parameters() const override {
    return kernels::count_non_finite(exec_, kernels::Vec<const T>(flat(), parameter_count()));
  }

 private:
  struct Counted {  // what the host knows of the state
    typename Optimizer<T, S>::Counts updates;
    std::uint64_t sums = 0;
    bool sliced = false, parted = false;
    long steps = 0;
  };
  StateCopy<Counted> state() const;

  T* flat() const { return memory_.at<T>(state_.parameters); }
  std::size_t parameter_count() const {
    return static_cast<std::size_t>(rank_.layout.parameter_elements());
  }
  /// What carries messages of kernel memory between data-parallel ranks.
  parallel::Communicator& data_memory() { return staged_data_ ? *staged_data_ : *groups_.data; }
  StageMessages::Table tied_table() const;
  void open_gradients(const plan::Action& action);
  /// The mean over tensor ranks of what they replicate of bucket `b`.
  void average(int b) {
    for (S* values : optimizer_.values(b)) shared_.average(b, values);
    optimizer_.round_master(b);
  }
  void sum_losses(const plan::ScheduleShape& shape, const model::StagePasses& passes);

  const model::Qwen2VL& model_;
  model::TrainingSettings settings_;
  model::RankPlan rank_;
  long slot_rows_;
  parallel::Groups groups_;
  std::unique_ptr<Queue> compute_;
  kernels::Exec exec_;
  plan::Arena arena_;
  plan::StateLayout state_;
  ArenaMemory memory_;
  Staging staging_;
  std::unique_ptr<parallel::Communicator> staged_data_;
  ParameterStore<T> parameters_;
  ExecutingOps<T> ops_;
  GradientReducer<S> reducer_;
  SharedParameters shared_;
  GradientNorm norm_;
  Optimizer<T, S> optimizer_;
  std::unique_ptr<Queue> data_lane_, pipeline_lane_;  // end before what their work uses
  Executor executor_;
  Watchdog watchdog_;
  bool sliced_ = false;  // parameters are to be gathered before they are read
  bool parted_ = false;  // tensor ranks' copies are to be averaged before they are read
  long steps_ = 0;       // since the parameters were set

  plan::RankPlan plan_;            // kept from step to step where the shape stays
  std::vector<double> loss_sums_;  // [micro-batches of the step]
  double loss_sum_ = 0, gradient_norm_ = 0;
};

template <class T, class S>
int Engine<T, S>::differing_ranks() {
  const auto all = static_cast<std::int64_t>(parameter_hash());
  std::uint64_t sum = optimizer_.replicated_hash();
  visit_parameters(
      [&sum](const plan::LogicalTensor& tensor, long first, std::span<const float> values) {
        if (tensor.sharing == plan::Sharing::replicated) sum += fingerprint(values, first);
      });
  const auto replicated = static_cast<std::int64_t>(sum);
  const bool differs = all != parallel::broadcast_value(*groups_.data, all) ||
                       replicated != parallel::broadcast_value(*groups_.tensor, replicated);
  return static_cast<int>(parallel::all_reduce_sum(*groups_.world, std::int64_t{differs}));
}

template <class T, class S>
auto Engine<T, S>::state() const -> StateCopy<Counted> {
  const auto slice = static_cast<std::size_t>(rank_.layout.slice_elements()) * sizeof(S);
  std::vector<StateRegion> regions{{flat(), parameter_count() * sizeof(T)}};
  for (const std::int64_t place : {state_.master, state_.first_moment, state_.second_moment})
    if (place >= 0) regions.push_back({memory_.at<S>(place), slice});
  return StateCopy<Counted>(std::move(regions));
}

template <class T, class S>
StageMessages::Table Engine<T, S>::tied_table() const {
  const int id = model_.table().embedding;
  if (id < 0) return {};
  return {flat() + rank_.layout.offset(id), static_cast<std::size_t>(model_.table()[id].size()),
          settings_.type};
}

template <class T, class S>
void Engine<T, S>::open_gradients(const plan::Action& action) {
  for (const plan::BufferId buffer : action.writes)
    if (buffer.kind == plan::BufferId::Kind::gradient)
      parameters_.set_gradients(buffer.part, reducer_.gradient(buffer.index, buffer.part));
}

template <class T, class S>
void Engine<T, S>::sum_losses(const plan::ScheduleShape& shape, const model::StagePasses& passes) {
  if (shape.last_rank() && rank_.place.tensor == 0)
    for (int m = shape.begin; m < shape.end; ++m)
      loss_sums_[static_cast<std::size_t>(m)] = passes.loss_sum(m);
  // Every micro-batch has one owner and the others hold zero: these sums are exact.
  groups_.data->all_reduce(parallel::buffer(loss_sums_), parallel::Reduce::sum).wait();
  groups_.model->all_reduce(parallel::buffer(loss_sums_), parallel::Reduce::sum).wait();
  loss_sum_ = tree_sum(loss_sums_);
}

template <class T, class S>
void Engine<T, S>::gather_parameters() {
  if (!sliced_ && !parted_) return;
  plan::ScheduleShape shape = rank_.schedule(model_, settings_, 0);
  shape.average = parted_;
  model::StagePasses passes(model_, shape, state_, settings_.recompute);
  StageMessages messages(ops_, passes, memory_, groups_, tied_table());
  executor_.execute(plan::gather_schedule(shape), [&](const plan::Action& action) {
    if (action.kind == ActionKind::gather_bucket)
      optimizer_.gather(action.bucket);
    else if (action.kind == ActionKind::average_replicated)
      average(action.bucket);
    else if (action.kind == ActionKind::post_receive || action.kind == ActionKind::post_send)
      messages.post(action, nullptr);
    else
      messages.finish(action);
  });
  sliced_ = parted_ = false;
}

template <class T, class S>
StepResult Engine<T, S>::step(const StepInput& input) {
  require_same_step(*groups_.world, input.shapes, input.learning_rate);
  long supervised = 0;
  for (const auto& shape : input.shapes) supervised += shape.supervised;
  const float loss_scale =
      supervised == 0 ? 0 : static_cast<float>(1.0 / static_cast<double>(supervised));
  loss_sums_.assign(input.shapes.size(), 0);
  const int micro_batches = static_cast<int>(input.shapes.size());
  optimizer_.begin_step(touched_by(input.shapes, settings_.trainable));
  const plan::ScheduleShape planned = rank_.schedule(model_, settings_, micro_batches, steps_);
  if (plan_.schedule.empty() || plan_.shape != planned) plan_ = plan::plan_rank(planned);
  const plan::ScheduleShape& shape = plan_.shape;
  reducer_.begin_step(micro_batches, plan_.schedule, shape);
  model::StagePasses passes(model_, shape, state_, settings_.recompute);
  StageMessages messages(ops_, passes, memory_, groups_, tied_table());
  StageShapes shapes(input.shapes, slot_rows_, settings_.layout.tensor, shape.learns_shapes(),
                     shape.begin, shape.end);
  const auto shape_of = [&](const plan::Action& action) {
    return action.micro_batch < 0 ? nullptr : &shapes[action.micro_batch];
  };

  const auto run = [&](const plan::Action& action) {
    const int m = action.micro_batch, b = action.bucket;
    switch (action.kind) {
      case ActionKind::load: {
        model::MicroBatch batch = input.load(m, model_.contents());
        shapes.require_same(m, batch);
        passes.load(m, std::move(batch));
        break;
      }
      case ActionKind::broadcast_lengths:
        shapes.broadcast(*groups_.forward, m);
        break;
      case ActionKind::forward:
      case ActionKind::backward:
      case ActionKind::embedding_backward:
        open_gradients(action);
        passes.run(ops_, action, loss_scale);
        break;
      case ActionKind::join_gradients:
        reducer_.join(m, action.segment);
        break;
      case ActionKind::reduce_bucket:
        reducer_.exchange(b, action.slot);
        break;
      case ActionKind::join_bucket:
        reducer_.join_bucket(b, action.slot);
        break;
      case ActionKind::sum_replicated:
        shared_.sum(b, reducer_.reduced());
        break;
      case ActionKind::average_replicated:
        average(b);
        break;
      case ActionKind::square_sums:
        norm_.sum_squares(reducer_.reduced());
        break;
      case ActionKind::global_norm:
        gradient_norm_ = norm_.global();
        sum_losses(shape, passes);
        break;
      case ActionKind::optimizer_slice:
        optimizer_.update(b, reducer_.reduced(), gradient_norm_, input.learning_rate);
        break;
      case ActionKind::gather_bucket:
        optimizer_.gather(b);
        break;
      case ActionKind::post_receive:
      case ActionKind::post_send:
        messages.post(action, shape_of(action));
        break;
      case ActionKind::finish_receive:
      case ActionKind::finish_send:
        messages.finish(action);
        break;
    }
  };
  StepResult result;
  watchdog_.start();
  result.start_ns = monotonic_ns();
  result.actions = executor_.execute(plan_.schedule, plan_.waits, run);
  result.end_ns = monotonic_ns();
  watchdog_.stop();
  passes.clear();
  sliced_ = settings_.overlap.gather;
  parted_ = settings_.average_every > 0 && settings_.layout.tensor > 1 && !shape.average;
  ++steps_;
  result.loss = supervised == 0 ? 0 : loss_sum_ / static_cast<double>(supervised);
  result.grad_norm = gradient_norm_;
  return result;
}

}  // namespace

std::unique_ptr<TrainingEngine> make_training_engine(const model::Qwen2VL& model,
                                                     const model::TrainingSettings& settings,
                                                     const model::MemoryPlan& plan,
                                                     parallel::Communicator& world,
                                                     Patience patience) {
  if (settings.type == DType::f32)
    return std::make_unique<Engine<float, float>>(model, settings, plan, world, patience);
  if (settings.optimizer.state == DType::f32)
    return std::make_unique<Engine<bf16, float>>(model, settings, plan, world, patience);
  return std::make_unique<Engine<bf16, bf16>>(model, settings, plan, world, patience);
}

}  // namespace vlmark::engine
