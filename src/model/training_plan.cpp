#include "src/model/training_plan.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "src/base/partition.hpp"
#include "src/model/stage_passes.hpp"
#include "src/plan/ledger.hpp"
#include "src/plan/repetition.hpp"
#include "src/plan/schedule_order.hpp"
#include "src/plan/split.hpp"

namespace vlmark::model {
namespace {

using plan::MicroBatchShape;

/// Model FLOPs of each unit, forward, for all steps: what stages are balanced by.
std::vector<double> unit_costs(const plan::ModelConfig& model, const Steps& steps) {
  double parts[kParts] = {};
  const MicroBatchShape* before = nullptr;
  plan::Flops flops;
  for (const auto& step : steps)
    for (const MicroBatchShape& shape : step) {
      if (before == nullptr || shape != *before) flops = plan::forward_flops(model, shape);
      before = &shape;
      for (int p = 0; p < kParts; ++p)
        parts[p] += static_cast<double>(flops.gemm[p] + flops.attention[p]);
    }
  const auto part = [&](Part p) { return parts[static_cast<int>(p)]; };
  const plan::Units units(model);
  std::vector<double> costs(static_cast<std::size_t>(units.count()), 0.0);
  const auto cost = [&](int unit) -> double& { return costs[static_cast<std::size_t>(unit)]; };
  for (int b = 0; b < model.vision.depth; ++b)
    cost(units.block(b)) = part(Part::vit) / model.vision.depth;
  cost(units.merger()) = part(Part::merger);
  for (int l = 0; l < model.layers; ++l) cost(units.layer(l)) = part(Part::decoder) / model.layers;
  cost(units.head()) = part(Part::head);
  return costs;
}

/// Plays the schedule of one step of which this rank runs micro-batches of the given shapes.
class Replay {
 public:
  Replay(const Qwen2VL& model, const TrainingSettings& settings, const RankPlan& rank,
         plan::Arena& arena, const plan::StateLayout& state)
      : model_(model), settings_(settings), rank_(rank), arena_(arena), state_(state) {}

  /// `trails`: of the arena, at the begin of each group of `group` micro-batches.
  RecordingOps step(std::span<const MicroBatchShape> shapes, int group = 1,
                    std::vector<std::uint64_t>* trails = nullptr) const {
    plan::ScheduleShape shape = rank_.schedule(model_, settings_, 0);
    shape.begin = 0;
    shape.end = static_cast<int>(shapes.size());
    RecordingOps ops(model_.table(), arena_, settings_.ops(rank_.place.tensor));
    StagePasses passes(model_, shape, state_, settings_.recompute);
    std::vector<float> pixels;  // of one micro-batch at a time
    for (const plan::Action& action : plan::training_schedule(shape)) {
      if (action.kind == plan::ActionKind::load)
        passes.load(action.micro_batch,
                    blank(shapes[static_cast<std::size_t>(action.micro_batch)], model_.config(),
                          model_.contents(), std::exchange(pixels, {})));
      else if (StagePasses::runs(action.kind)) {
        if (trails && action.kind == plan::ActionKind::forward && action.segment == 0 &&
            action.micro_batch % group == 0)
          trails->push_back(arena_.trail());
        passes.run(ops, action, 1.0f);
        if (action.kind == plan::ActionKind::forward && action.segment == 0)
          pixels = passes.take_pixels(action.micro_batch);
      }
    }
    return ops;
  }

 private:
  const Qwen2VL& model_;
  const TrainingSettings& settings_;
  const RankPlan& rank_;
  plan::Arena& arena_;
  const plan::StateLayout& state_;
};

/// What the passes of a rank cost.
struct Cost {
  plan::Flops flops;
  std::array<std::uint64_t, kParts> traffic{};

  explicit Cost(const RecordingOps& ops) : flops(ops.flops()) {
    for (const OpRecord& record : ops.records())
      traffic[static_cast<std::size_t>(record.part)] += record.bytes;
  }
  /// Of `count` micro-batches, from that of `of` equal ones.
  void scale(std::uint64_t of, std::uint64_t count) {
    for (int part = 0; part < kParts; ++part)
      for (std::uint64_t* sum :
           {&flops.gemm[part], &flops.attention[part], &traffic[static_cast<std::size_t>(part)]})
        *sum = *sum / of * count;
  }
};

void add(MemoryPlan& plan, const Cost& cost) {
  plan.flops += cost.flops;
  for (std::size_t part = 0; part < kParts; ++part) plan.traffic[part] += cost.traffic[part];
}

struct Recorded {
  RecordingOps ops;
  int micro_batches;
};

/// Groups after which `trails` [group + 1] repeat, seen in the last `alive` of them before the
/// `alive` that close the step; 0: not yet.
int period_of(std::span<const std::uint64_t> trails, int alive) {
  const int seen = static_cast<int>(trails.size()) - alive;
  for (int period = 1; period + 2 * alive < seen; ++period)
    if (std::equal(trails.begin() + seen - alive, trails.begin() + seen,
                   trails.begin() + seen - alive - period))
      return period;
  return 0;
}

/// Of many equal micro-batches plays some that need the same memory. Where all tensors of the groups
/// that can be alive at once lie where those of as many groups lay some groups before, everything
/// repeats from there on, and leaving out multiples of that number of groups changes nothing. (A
/// first stage may take long to get there: what the ViT leaves free fits decoder layers badly.)
/// None: not found; then the arena of `trial` is of no use.
std::optional<Recorded> fewer(const Replay& trial, std::span<const MicroBatchShape> shapes,
                              const plan::ScheduleShape& shape) {
  const int count = static_cast<int>(shapes.size());
  const auto repetition = plan::repetition_of(shape, count);
  if (!repetition || std::any_of(shapes.begin(), shapes.end(),
                                 [&](const auto& other) { return other != shapes[0]; }))
    return std::nullopt;
  const int group = repetition->group;
  int played = (4 * repetition->alive + 4) * group + count % group, period = 1;
  for (int tries = 0; tries < 3 && played < count; ++tries) {
    std::vector<std::uint64_t> trails;
    RecordingOps ops = trial.step(shapes.first(static_cast<std::size_t>(played)), group, &trails);
    const int found = period_of(trails, repetition->alive);
    if (found > 0 && (count - played) / group % found == 0) return Recorded{std::move(ops), played};
    // Further to the next number that leaves out whole periods, or much further.
    if (found > 0) period = found;
    played += found > 0 ? (count - played) / group % period * group : 2 * played / group * group;
  }
  return std::nullopt;
}

/// Micro-batches that are alive at the same time, so that one replay covers them: a whole step over
/// several stages, one micro-batch on one.
std::vector<std::vector<MicroBatchShape>> together(const Steps& steps, const Block& mine,
                                                   bool pipeline) {
  std::vector<std::vector<MicroBatchShape>> groups;
  for (const auto& step : steps) {
    const auto end = std::min<std::int64_t>(mine.end, static_cast<std::int64_t>(step.size()));
    const auto begin = std::min(mine.begin, end);
    if (pipeline) {
      groups.emplace_back(step.begin() + begin, step.begin() + end);
      continue;
    }
    for (auto m = begin; m < end; ++m) groups.push_back({step[static_cast<std::size_t>(m)]});
  }
  return groups;
}

long largest_tokens(const Steps& steps) {
  long most = 0;
  for (const auto& step : steps)
    for (const MicroBatchShape& shape : step) most = std::max(most, shape.tokens());
  return most;
}

}  // namespace

int most_micro_batches(const Steps& steps) {
  std::size_t most = 1;
  for (const auto& step : steps) most = std::max(most, step.size());
  return static_cast<int>(most);
}

Cuts cuts_of(const plan::ModelConfig& model, const Steps& steps, int chunks) {
  Cuts cuts{unit_costs(model, steps), {}};
  cuts.chunks = plan::split_chunks(plan::Units(model), cuts.costs, chunks);
  return cuts;
}

plan::Shard shard_of(const plan::ModelConfig& model, const TrainingSettings& settings,
                     const Steps& steps, const plan::Place& place) {
  const int chunks = settings.layout.pipeline * settings.layout.chunks;
  return shard_of(model, settings, cuts_of(model, steps, chunks), place);
}

plan::Shard shard_of(const plan::ModelConfig& model, const TrainingSettings& settings,
                     const Cuts& cuts, const plan::Place& place) {
  const plan::Layout& layout = settings.layout;
  const plan::Units units(model);
  plan::Shard shard;
  shard.tensor_rank = place.tensor;
  shard.tensor_ranks = layout.tensor;
  for (int c = 0; c < layout.chunks; ++c) {
    plan::UnitRange chunk =
        cuts.chunks[static_cast<std::size_t>(c * layout.pipeline + place.pipeline)];
    // The gradient of a tied head waits for the embedding's share: alone, so that nothing else does.
    const bool lags = model.tied && layout.pipeline > 1 && chunk.contains(units.head());
    if (lags) --chunk.end;
    auto segments = plan::split_segments(cuts.costs, chunk, settings.segments);
    if (lags) segments.push_back({units.head(), units.head() + 1});
    shard.chunks.push_back(std::move(segments));
  }
  return shard;
}

RankPlan::RankPlan(const Qwen2VL& model, const TrainingSettings& settings, int most_per_step,
                   int rank, long slot_rows)
    : place(plan::place_of(settings.layout, rank)),
      layout(model.table(), settings.layout.data, settings.bucket_elements),
      state(plan::training_state(settings.type, settings.optimizer.state, settings.deterministic,
                                 most_per_step, place.data, settings.layout.data)),
      most(most_per_step),
      forming(layout, schedule(model, settings, most)) {
  const plan::ScheduleShape shape = schedule(model, settings, most);
  state.tensor_ranks = settings.layout.tensor;
  state.slots = MessageSlots(shape).count();
  state.slot_elements = slot_rows * model.config().hidden;
  if (state.state != DType::f32) {
    state.forming_elements = forming.elements();  // what lags behind waits there
    return;
  }
  if (!settings.deterministic) return;
  state.extra_gradients.assign(static_cast<std::size_t>(shape.segment_count()), 0);
  state.extra_gradients.back() = std::max(plan::lagging_gradients(shape) - 1, 0);
}

plan::ScheduleShape RankPlan::schedule(const Qwen2VL& model, const TrainingSettings& settings,
                                       int micro_batches, long step) const {
  const plan::Layout& grid = settings.layout;
  plan::ScheduleShape shape;
  shape.pipeline = grid.pipeline;
  shape.pipeline_rank = place.pipeline;
  shape.chunks = grid.chunks;
  shape.group = grid.group;
  // Replicas share the largest step; a smaller one leaves out its end.
  const Block block = block_of(most, place.data, grid.data);
  shape.begin = static_cast<int>(std::min<std::int64_t>(block.begin, micro_batches));
  shape.end = static_cast<int>(std::min<std::int64_t>(block.end, micro_batches));
  shape.segments.clear();
  for (const auto& chunk : model.shard().chunks)
    shape.segments.push_back(static_cast<int>(chunk.size()));
  shape.tied = model.config().tied;
  const int embedding = model.shard().segment_of(model.units().embedding());
  if (embedding >= 0) shape.embedding_segment = embedding;
  shape.buckets.clear();
  for (int s = 0; s < shape.segment_count(); ++s) {
    const plan::BucketRange buckets = layout.buckets_of(s);
    shape.buckets.push_back(buckets.end - buckets.begin);
  }
  shape.received = std::max(plan::received_places(layout, state), 1);
  shape.tensor_ranks = grid.tensor;
  shape.average = settings.averages_in(step);
  shape.overlap = settings.overlap;
  shape.broadcast_shapes = settings.broadcast_shapes;
  return shape;
}

MemoryPlan plan_training(const Qwen2VL& model, const TrainingSettings& settings, const Steps& steps,
                         int rank) {
  MemoryPlan plan;
  plan.most_micro_batches = most_micro_batches(steps);
  const int tensor = settings.layout.tensor;  // the largest block of tokens
  plan.slot_rows = (largest_tokens(steps) + tensor - 1) / tensor;
  const RankPlan mine(model, settings, plan.most_micro_batches, rank, plan.slot_rows);
  plan::Arena arena;
  const plan::StateLayout state = plan::place_state(arena, mine.layout, mine.state);
  const std::int64_t persistent = arena.used();
  plan.items = plan::state_memory(mine.layout, mine.state);
  const Replay replay(model, settings, mine, arena, state);
  const Block block = block_of(plan.most_micro_batches, mine.place.data, settings.layout.data);
  std::vector<std::pair<std::vector<MicroBatchShape>, Cost>> seen;
  for (const auto& shapes : together(steps, block, settings.layout.pipeline > 1)) {
    const auto same = std::find_if(seen.begin(), seen.end(),
                                   [&](const auto& entry) { return entry.first == shapes; });
    if (same != seen.end()) {
      add(plan, same->second);
      continue;
    }
    plan::Arena trial_arena = arena;
    std::optional<Recorded> few = fewer(Replay(model, settings, mine, trial_arena, state), shapes,
                                        mine.schedule(model, settings, plan.most_micro_batches));
    if (few) arena = trial_arena;
    const RecordingOps ops = few ? std::move(few->ops) : replay.step(shapes);
    Cost cost(ops);
    if (few) cost.scale(static_cast<std::uint64_t>(few->micro_batches), shapes.size());
    add(plan, cost);
    seen.emplace_back(shapes, cost);
    if (ops.attention_scratch().bytes > plan.attention.bytes)
      plan.attention = ops.attention_scratch();
    plan.records.insert(plan.records.end(), ops.records().begin(), ops.records().end());
  }
  plan.arena_bytes = arena.high_water();
  if (settings.staged) {
    const bool messages = !settings.device_transport;
    plan.items.push_back(
        {"staging", plan::staging_piece_bytes +
                        (messages ? plan::staged_message_bytes(mine.layout, mine.state) : 0)});
  }
  plan.items.push_back({"activations", plan.arena_bytes - persistent});
  return plan;
}

}  // namespace vlmark::model
