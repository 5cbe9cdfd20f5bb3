#include "src/sim/stage_times.hpp"

#include <algorithm>
#include <cmath>

#include "src/plan/ledger.hpp"

namespace vlmark::sim {

using plan::Action;
using plan::ActionKind;
using plan::Message;

namespace {

constexpr double fp32 = 4;

bool whole_chunk_edge(const plan::ScheduleShape& shape, const Action& action, bool first) {
  const int begin = shape.first_segment(action.chunk),
            end = begin + shape.segments[static_cast<std::size_t>(action.chunk)];
  return action.segment == (first ? begin : end - 1);
}

}  // namespace

StageTimes::StageTimes(const Machine& machine, const model::Qwen2VL& model,
                       const model::TrainingSettings& settings, const model::RankPlan& plan,
                       const StepTimes& step, int first, long bucket_elements)
    : machine_(machine),
      model_(model),
      settings_(settings),
      plan_(plan),
      step_(step),
      first_(first),
      bucket_elements_(bucket_elements),
      shape_(plan.schedule(model, settings, static_cast<int>(step.of.size()))),
      traffic_(model, settings, plan, static_cast<int>(step.of.size())),
      state_bytes_(static_cast<double>(size_of(settings.optimizer.state))) {
  const plan::Layout& grid = settings.layout;
  const plan::Place& at = plan.place;
  data_ = peers(machine, plan::rank_of(grid, {0, at.pipeline, at.tensor}),
                grid.pipeline * grid.tensor, grid.data, at.data);
  tensor_ =
      peers(machine, plan::rank_of(grid, {at.data, at.pipeline, 0}), 1, grid.tensor, at.tensor);
  pipeline_ = peers(machine, plan::rank_of(grid, {at.data, 0, at.tensor}), grid.tensor,
                    grid.pipeline, at.pipeline);
  model_group_ = peers(machine, plan::rank_of(grid, {at.data, 0, 0}), 1,
                       grid.pipeline * grid.tensor, at.pipeline * grid.tensor + at.tensor);
}

PassTime StageTimes::pass(const Action& action) const {
  const UnitTimes& times = of(action);
  const bool forward = action.kind == ActionKind::forward;
  const auto& chunk = model_.shard().chunks[static_cast<std::size_t>(action.chunk)];
  const plan::UnitRange units =
      chunk[static_cast<std::size_t>(action.segment - shape_.first_segment(action.chunk))];
  PassTime time;
  for (int u = units.begin; u < units.end; ++u) {
    // The rows of a tied table that another stage owns are copied into a message.
    if (!forward && shape_.shares_embedding() && u == model_.units().embedding()) {
      time.seconds += times.copy;
      continue;
    }
    time += (forward ? times.forward : times.backward)[static_cast<std::size_t>(u)];
  }
  const plan::UnitRange all = model_.units().all();
  const bool in = whole_chunk_edge(shape_, action, forward) &&
                  (forward ? units.begin != all.begin : units.end != all.end),
             out = whole_chunk_edge(shape_, action, !forward) &&
                   (forward ? units.end != all.end : units.begin != all.begin);
  time.seconds += (int{in} + int{out}) * times.copy;
  return time;
}

/// Buckets of the run that one of the schedule stands for.
double StageTimes::buckets_in(int bucket) const {
  if (bucket_elements_ == 0) return 1;
  const long unit = settings_.layout.data * plan::FlatLayout::block,
             each = (bucket_elements_ + unit - 1) / unit * unit;
  return std::ceil(static_cast<double>(plan_.layout.bucket(bucket).size()) /
                   static_cast<double>(each));
}

/// Zeroes the micro-batch's gradient, and adds finished ones along the tree: over all micro-batches
/// of a replica one join less than there are leaves and results.
double StageTimes::join(int segment) const {
  if (!settings_.deterministic) return 0;
  const double elements = static_cast<double>(plan_.layout.segment(segment).size()),
               count = shape_.micro_batches(), joins = 1 - plan_.state.own_subtrees / count;
  return memory_seconds(machine_, elements * (fp32 + 3 * joins * state_bytes_), 2);
}

/// Adds all subtrees of a slice, and moves the sum to its place.
double StageTimes::join_bucket(int bucket) const {
  if (!settings_.deterministic) return 0;
  const int leaves = plan_.state.received_subtrees + plan_.state.own_subtrees;
  return memory_seconds(machine_, slice_elements(bucket) * state_bytes_ * (3 * (leaves - 1) + 2),
                        leaves);
}

double StageTimes::norm() const {
  const double losses = 8.0 * static_cast<double>(step_.of.size()),
               blocks = 8.0 * static_cast<double>(plan_.layout.size() / plan::FlatLayout::block),
               parameters = 8.0 * model_.table().whole_parameters * settings_.layout.tensor;
  // An all-reduce is a reduce-scatter and an all-gather.
  return 2 * (collective_seconds(machine_, data_, blocks + losses) +
              collective_seconds(machine_, model_group_, parameters + losses));
}

/// AdamW reads gradient, moments and weight and writes the last three; beside a master copy the
/// weight is written a second time.
double StageTimes::update(int bucket) const {
  const double copy = settings_.type == settings_.optimizer.state
                          ? 0
                          : static_cast<double>(size_of(settings_.type));
  return memory_seconds(machine_, slice_elements(bucket) * (7 * state_bytes_ + copy),
                        2 * static_cast<int>(buckets_in(bucket)));
}

/// Tensor ranks send each other their values of what they share and add all.
PassTime StageTimes::exchange(int bucket, int values, std::uint64_t sent_bytes) const {
  if (sent_bytes == 0) return {};
  const auto bytes = static_cast<double>(sent_bytes);
  const double messages =
      direct_seconds(machine_, tensor_, values * buckets_in(bucket) * tensor_.count(), bytes);
  return {messages + memory_seconds(machine_, 3 * bytes), messages};
}

PassTime StageTimes::time(const Action& action) const {
  const int b = action.bucket;
  switch (action.kind) {
    case ActionKind::forward:
    case ActionKind::backward:
      return pass(action);
    case ActionKind::embedding_backward:
      return of(action).backward[static_cast<std::size_t>(model_.units().embedding())];
    case ActionKind::join_gradients:
      return {join(action.segment)};
    case ActionKind::reduce_bucket: {
      const double n = buckets_in(b), bytes = static_cast<double>(traffic_.reduce(b)) / n;
      if (!settings_.deterministic && settings_.optimizer.state == DType::f32)
        return {n * collective_seconds(machine_, data_, bytes)};
      return {n * direct_seconds(machine_, data_,
                                 double(data_.count()) * std::max(plan_.state.own_subtrees, 1),
                                 bytes)};
    }
    case ActionKind::gather_bucket: {
      const double n = buckets_in(b),
                   bytes = static_cast<double>(traffic_.gather(b)) * settings_.layout.data / n;
      return {n * collective_seconds(machine_, data_, bytes)};
    }
    case ActionKind::join_bucket:
      return {join_bucket(b)};
    case ActionKind::sum_replicated:
      return exchange(b, 1, traffic_.share(b));
    case ActionKind::average_replicated:
      return exchange(b, plan::optimizer_values, traffic_.average(b));
    case ActionKind::square_sums:
      return {memory_seconds(machine_,
                             state_bytes_ * static_cast<double>(plan_.layout.slice_elements()),
                             plan_.layout.buckets())};
    case ActionKind::global_norm:
      return {norm()};
    case ActionKind::optimizer_slice:
      return {update(b)};
    case ActionKind::broadcast_lengths: {  // their number goes ahead
      const double number = sizeof(std::int64_t), lengths = of(action).lengths_bytes - number;
      return {broadcast_seconds(machine_, pipeline_, number) +
              broadcast_seconds(machine_, pipeline_, lengths)};
    }
    case ActionKind::load:
    case ActionKind::post_receive:
    case ActionKind::post_send:
    case ActionKind::finish_receive:
    case ActionKind::finish_send:
      return {};
  }
  return {};
}

double StageTimes::transit(const Action& action) const {
  const plan::Place& at = plan_.place;
  const plan::Layout& grid = settings_.layout;
  const Link& link = machine_.link(plan::rank_of(grid, at),
                                   plan::rank_of(grid, {at.data, action.peer, at.tensor}));
  if (action.message == Message::embedding_weights)
    return link.seconds(1, static_cast<double>(traffic_.embedding_weights()));
  const UnitTimes& times = of(action);
  return link.seconds(
      1, action.message == Message::activation ? times.stream_bytes : times.gradient_bytes);
}

}  // namespace vlmark::sim
