#include "src/verification/layout_check.hpp"

#include <algorithm>
#include <cmath>

#include "parallel/scalars.hpp"
#include "parallel/self_communicator.hpp"
#include "src/base/contracts.hpp"
#include "src/engine/training_engine.hpp"
#include "src/verification/verification_size.hpp"

namespace vlmark::verification {
namespace {

constexpr int kSteps = 3;         // the second and third begin with parameters that were gathered
constexpr int kMostReplicas = 8;  // with contents of their own: one rank computes them all
constexpr int kMostMicroBatches = 5;  // of a replica, unless its chunks need more
constexpr std::uint64_t kSeed = 5;
constexpr double kLearningRate = 1e-3;

/// The smallest model that the layout runs as it runs that of the run: heads of 16, two query heads a
/// tensor rank, key/value heads that are split or replicated alike.
plan::ModelConfig model_for(const plan::Layout& layout, const plan::ModelConfig& of_run) {
  plan::ModelConfig m = verification_model(of_run.tied);
  m.layers = std::max(2, layout.pipeline * layout.chunks);
  m.heads = m.vision.heads = 2 * layout.tensor;
  m.kv_heads = std::min(of_run.kv_heads, layout.tensor);
  m.hidden = m.vision.embed_dim = 16 * m.heads;
  m.intermediate = 3 * m.hidden;
  m.mrope_section = {2, 3, 3};
  return m;
}

/// Enough for a pipeline to fill and to run full.
int micro_batches_of_replica(const plan::Layout& layout, const plan::ModelConfig& model) {
  const int least = layout.pipeline == 1 ? 2 : std::min(layout.pipeline + 1, kMostMicroBatches);
  int count = least;
  while (!plan::problems(layout, model, layout.ranks(), layout.data * count).empty()) {
    ++count;
    ensures(count <= least + layout.pipeline + layout.group);  // a run has that layout
  }
  return count;
}

/// Replicas with contents of their own; the others repeat theirs, so that one rank which computes
/// these alone has the same mean.
int distinct_replicas(int replicas) {
  int count = std::min(replicas, kMostReplicas);
  while (replicas % count != 0) --count;
  return count;
}

/// Largest relative difference of the losses and of the gradient norms that other roundings make.
/// Without tensor ranks the order of sums alone differs; with them, where the layers' numbers are
/// rounded. About ten times what healthy layouts have (tests/verification/layout_check_test.cpp).
struct Limits {
  double loss, norm;
};
Limits limits_of(bool exact, bool tensor_ranks, DType type) {
  if (exact) return {0, 0};
  if (!tensor_ranks || type == DType::f32) return {1e-6, 1e-5};
  return {1e-3, 5e-3};
}

struct Steps {
  std::vector<double> losses, grad_norms;
  std::uint64_t state = 0;  ///< of this rank
  int differing_ranks = 0;
};

/// `kSteps` steps of `count` micro-batches, which repeat `contents` in order.
Steps run(const plan::ModelConfig& config, const model::TrainingSettings& settings,
          const std::vector<model::MicroBatch>& contents, int count, parallel::Communicator& comm) {
  const auto micro_batch = [&](int m) -> const model::MicroBatch& {
    return contents[static_cast<std::size_t>(m) % contents.size()];
  };
  engine::StepInput input;
  for (int m = 0; m < count; ++m) input.shapes.push_back(micro_batch(m).shape);
  input.load = [&](int m, model::Contents) { return micro_batch(m); };
  input.learning_rate = kLearningRate;
  const model::Steps shapes{input.shapes};
  const model::Qwen2VL shard(config, model::shard_of(config, settings, shapes,
                                                     plan::place_of(settings.layout, comm.rank())));
  const auto engine = engine::make_training_engine(
      shard, settings, model::plan_training(shard, settings, shapes, comm.rank()), comm);
  engine->set_parameters(lively_weights(kSeed));
  Steps steps;
  for (int s = 0; s < kSteps; ++s) {
    const engine::StepResult result = engine->step(input);
    steps.losses.push_back(result.loss);
    steps.grad_norms.push_back(result.grad_norm);
  }
  engine->gather_parameters();
  steps.state = engine->state_hash();
  steps.differing_ranks = engine->differing_ranks();
  return steps;
}

/// Largest relative difference; NaN where there is one.
double worst(const std::vector<double>& values, const std::vector<double>& references) {
  double most = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double off = std::abs(values[i] - references[i]) / std::abs(references[i]);
    if (!(off <= most)) most = off;
  }
  return most;
}

}  // namespace

std::vector<Finding> check_layout(const model::TrainingSettings& settings,
                                  const plan::ModelConfig& of_run, parallel::Communicator& world) {
  if (world.size() == 1) return {};
  const plan::Layout& layout = settings.layout;
  const plan::ModelConfig config = model_for(layout, of_run);
  const int each = micro_batches_of_replica(layout, config),
            replicas = distinct_replicas(layout.data);
  std::vector<model::MicroBatch> contents;
  for (std::uint64_t seed = kSeed; std::ssize(contents) < long{each} * replicas; ++seed)
    for (model::MicroBatch& batch : verification_batches(config, seed))
      if (std::ssize(contents) < long{each} * replicas) contents.push_back(std::move(batch));

  model::TrainingSettings shared = settings;
  // Averages now and then change the arithmetic by intent; V6 looks at the copies they leave.
  shared.average_every = 0;
  const Steps here = run(config, shared, contents, each * layout.data, world);

  Steps one;
  one.losses.resize(kSteps), one.grad_norms.resize(kSteps);
  if (world.rank() == 0) {
    model::TrainingSettings alone = shared;
    alone.layout = {};
    alone.segments = 1;
    alone.overlap = {};
    alone.broadcast_shapes = false;
    const auto self = parallel::self_communicator();
    one = run(config, alone, contents, static_cast<int>(std::ssize(contents)), *self);
  }
  for (int s = 0; s < kSteps; ++s) {
    const auto i = static_cast<std::size_t>(s);
    one.losses[i] = parallel::broadcast_value(world, one.losses[i]);
    one.grad_norms[i] = parallel::broadcast_value(world, one.grad_norms[i]);
  }
  const auto state = static_cast<std::uint64_t>(
                 parallel::all_reduce_sum(world, static_cast<std::int64_t>(here.state))),
             state_of_one = static_cast<std::uint64_t>(
                 parallel::broadcast_value(world, static_cast<std::int64_t>(one.state)));

  const bool exact = settings.deterministic && layout.tensor == 1 && replicas == layout.data;
  const Limits limits = limits_of(exact, layout.tensor > 1, settings.type);
  const std::string steps = std::to_string(kSteps) + " steps, " + std::to_string(config.layers) +
                            " layers, " + std::to_string(each * layout.data) + " micro-batches";
  const std::string in = "in layout " + plan::to_string(layout) + " against one rank: ";
  std::vector<Finding> found{
      finding("V5", in + "loss", worst(here.losses, one.losses), limits.loss, steps),
      finding("V5", in + "gradient norm", worst(here.grad_norms, one.grad_norms), limits.norm,
              steps),
      finding("V6", in + "ranks that hold other parameters than they should", here.differing_ranks,
              0, steps)};
  if (exact)
    found.push_back(
        finding("V5", in + "states that differ", state == state_of_one ? 0 : 1, 0, steps));
  return found;
}

}  // namespace vlmark::verification
