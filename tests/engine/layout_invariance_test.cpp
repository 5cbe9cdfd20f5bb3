// Layout never changes the answer: replicas, stages, ZeRO-1, overlap and recomputation leave every
// bit as it is on one rank; tensor parallelism, which adds in another order, leaves it within the
// roundings of the format.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <ostream>

#include "parallel/scalars.hpp"
#include "parallel/self_communicator.hpp"
#include "src/base/counters.hpp"
#include "src/base/partition.hpp"
#include "src/model/step_traffic.hpp"
#include "src/plan/ledger.hpp"
#include "tests/engine/small_model.hpp"
#include "tests/engine/training_run.hpp"
#include "tests/support/mpi_world.hpp"

namespace vlmark::test {
namespace {

using plan::Layout;

/// Five layers and three blocks, so that stages are uneven; two key/value heads, so that four tensor
/// ranks share them.
plan::ModelConfig deep_model(bool tied) {
  plan::ModelConfig m = small_model();
  m.name = tied ? "deep" : "deep-untied";
  m.tied = tied;
  m.layers = 5;
  m.vision.depth = 3;
  return m;
}

/// Every layout of `ranks` that the model can run.
std::vector<Layout> layouts_of(const plan::ModelConfig& model, int ranks, int micro_batches) {
  std::vector<Layout> layouts;
  for (int tensor = 1; tensor <= ranks; ++tensor)
    for (int pipeline = 1; tensor * pipeline <= ranks; ++pipeline)
      for (int chunks = 1; chunks <= 2; ++chunks) {
        if (ranks % (tensor * pipeline) != 0) continue;
        const Layout layout{ranks / (tensor * pipeline), tensor, pipeline, chunks, 0};
        if (plan::problems(layout, model, ranks, micro_batches).empty()) layouts.push_back(layout);
      }
  return layouts;
}

model::TrainingSettings settings(DType type) {
  model::TrainingSettings s;
  s.type = type;
  s.bucket_elements = 20'000;
  return s;
}

Trained train_in(const plan::ModelConfig& config, model::TrainingSettings s,
                 const std::vector<Step>& steps, parallel::Communicator& comm) {
  const plan::Place place = plan::place_of(s.layout, comm.rank());
  const model::Qwen2VL shard(config, model::shard_of(config, s, shapes_of(steps), place));
  return train(shard, s, steps, comm);
}

Trained train_alone(const plan::ModelConfig& config, model::TrainingSettings s,
                    const std::vector<Step>& steps) {
  s.layout = {};
  s.segments = 1;
  s.overlap = {};
  s.recompute = {};
  return train_in(config, s, steps, *parallel::self_communicator());
}

/// Largest distance, relative to the tensor's norm, of what this rank holds.
double distance(const Trained& run, const Trained& alone) {
  double largest = 0;
  for (const auto& [name, values] : run.parameters) {
    const auto& exact = alone.parameters.at(name);
    double difference = 0, size = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (std::isnan(values[i])) continue;  // held elsewhere
      difference += std::pow(values[i] - exact[i], 2);
      size += std::pow(exact[i], 2);
    }
    if (size > 0) largest = std::max(largest, std::sqrt(difference / size));
  }
  return largest;
}

void expect_same_bits(const Trained& run, const Trained& alone) {
  EXPECT_EQ(run.losses, alone.losses);
  EXPECT_EQ(run.grad_norms, alone.grad_norms);
  EXPECT_EQ(run.state, alone.state);
  EXPECT_EQ(distance(run, alone), 0);
}

/// A step of AdamW moves an element by at most about the learning rate, 1e-2, whatever the size of
/// its gradient; where that is nothing but rounding the two runs may go opposite ways. On average
/// they stay together.
void expect_close(const Trained& run, const Trained& alone, DType type) {
  const double unit = type == DType::f32 ? 0x1p-24 : 0x1p-9;
  for (std::size_t i = 0; i < run.losses.size(); ++i) {
    EXPECT_NEAR(run.losses[i], alone.losses[i], (i == 0 ? 16 : 4096) * unit * alone.losses[i]) << i;
    EXPECT_NEAR(run.grad_norms[i], alone.grad_norms[i],
                (i == 0 ? 64 : 16384) * unit * alone.grad_norms[i])
        << i;
  }
}

void check(const plan::ModelConfig& config, const model::TrainingSettings& s,
           const std::vector<Step>& steps) {
  SCOPED_TRACE(config.name + " " + to_string(s.layout) + " segments " + std::to_string(s.segments) +
               (s.type == DType::f32 ? " fp32" : " bf16") +
               (s.optimizer.state == DType::f32 ? "" : " states in bf16"));
  const Trained alone = train_alone(config, s, steps);
  const Trained together = train_in(config, s, steps, world());
  EXPECT_NE(alone.losses[0], alone.losses[1]);
  EXPECT_GT(alone.grad_norms[0], 0);
  if (s.layout.tensor == 1)
    expect_same_bits(together, alone);
  else
    expect_close(together, alone, s.type);
}

/// From outside: bytes counted where the transport is called, FLOPs where products and attention
/// are, against the plan's and the ledger's. In every layout, for every kind of step.
TEST(Layouts, SendThePlannedBytesAndDoTheWorkOfTheLedger) {
  const plan::ModelConfig config = deep_model(true);
  auto steps = three_steps(config);
  bool deterministic = false;
  for (const Layout& layout : layouts_of(config, world().size(), 6))
    for (const DType state : {DType::f32, DType::bf16}) {
      deterministic = !deterministic || state == DType::bf16;
      SCOPED_TRACE(to_string(layout) + (deterministic ? "" : " fast") + " states " +
                   std::string(name_of(state)));
      model::TrainingSettings s = settings(DType::bf16);
      s.optimizer.state = state;
      s.layout = layout;
      s.segments = 2;
      s.deterministic = deterministic;
      s.overlap.gather = deterministic;
      s.broadcast_shapes = state == DType::bf16;
      const model::Steps shapes = shapes_of(steps);
      const plan::Place place = plan::place_of(layout, world().rank());
      const model::Qwen2VL shard(config, model::shard_of(config, s, shapes, place));
      const model::MemoryPlan memory = model::plan_training(shard, s, shapes, world().rank());
      const model::RankPlan rank(shard, s, memory.most_micro_batches, world().rank(),
                                 memory.slot_rows);
      const auto engine = make_engine(shard, s, steps, world());
      std::uint64_t counted = 0;
      for (std::size_t i = 0; i < steps.size(); ++i) {
        const Counts before = counters();
        engine->step(input_of(steps[i]));
        const model::StepTraffic planned = model::step_traffic(shard, s, rank, shapes[i]);
        EXPECT_EQ(counters().sent_bytes - before.sent_bytes, planned.total()) << "step " << i;
        std::uint64_t flops = 0, ledger = 0;
        for (int part = 0; part < kParts; ++part)
          flops += counters().gemm_flops[part] - before.gemm_flops[part] +
                   counters().attention_flops[part] - before.attention_flops[part];
        for (const auto& shape : shapes[i])
          ledger +=
              plan::training_flops(config, shape, s.trainable).total() +
              plan::extra_flops(config, shape, s.trainable, s.recompute, layout.tensor).total();
        counted += flops;
        const auto together = parallel::all_reduce_sum(world(), static_cast<std::int64_t>(flops));
        EXPECT_EQ(together, static_cast<std::int64_t>(ledger)) << "step " << i;
      }
      EXPECT_EQ(counted, memory.flops.total());
    }
}

/// Pixels are prepared in the first stage alone, targets in the last. All other tests of this file run
/// on what was asked for and nothing else.
TEST(Layouts, AskForPixelsAndTargetsWhereTheyAreUsed) {
  const plan::ModelConfig config = deep_model(true);
  const std::vector<Step> steps{six_micro_batches(config)};
  for (const Layout& layout : layouts_of(config, world().size(), 6)) {
    SCOPED_TRACE(to_string(layout));
    model::TrainingSettings s = settings(DType::f32);
    s.layout = layout;
    const plan::Place place = plan::place_of(layout, world().rank());
    const model::Qwen2VL shard(config, model::shard_of(config, s, shapes_of(steps), place));
    const auto engine = make_engine(shard, s, steps, world());
    engine::StepInput input = input_of(steps[0]);
    int loads = 0, pixels = 0, targets = 0;
    input.load = [&, all = input.load](int m, model::Contents wanted) {
      ++loads;
      pixels += wanted.vision ? 1 : 0;
      targets += wanted.targets ? 1 : 0;
      return all(m, wanted);
    };
    engine->step(input);
    // More replicas than micro-batches leave some without any.
    EXPECT_EQ(loads, block_of(6, place.data, layout.data).size());
    EXPECT_EQ(pixels, place.pipeline == 0 ? loads : 0);
    EXPECT_EQ(targets, place.pipeline == layout.pipeline - 1 ? loads : 0);
  }
}

/// At a fixed number of tensor ranks the rest of the layout changes no bit either.
TEST(LayoutInvariance, ReplicasAndStagesChangeNoBitOfATensorGroup) {
  if (world().size() < 4 || world().size() % 2 != 0) return;  // np 4, 6 and 8 see it
  const plan::ModelConfig config = deep_model(true);
  const auto steps = three_steps(config);
  const auto pair = world().split(world().rank() / 2, world().rank());
  model::TrainingSettings s = settings(DType::f32);
  s.layout = {.tensor = 2};
  const Trained two = train_in(config, s, steps, *pair);
  for (const Layout& layout : layouts_of(config, world().size(), 6)) {
    if (layout.tensor != 2) continue;
    SCOPED_TRACE(to_string(layout));
    s.layout = layout;
    s.segments = 2;
    const Trained run = train_in(config, s, steps, world());
    EXPECT_EQ(run.losses, two.losses);
    EXPECT_EQ(run.grad_norms, two.grad_norms);
  }
}

/// Both models in every layout; one with the switches off, one with all on.
TEST(LayoutInvariance, EveryLayoutOfTheseRanks) {
  for (const bool tied : {true, false}) {
    const plan::ModelConfig config = deep_model(tied);
    const auto steps = three_steps(config);
    for (const Layout& layout : layouts_of(config, world().size(), 6)) {
      model::TrainingSettings s = settings(tied ? DType::f32 : DType::bf16);
      s.layout = layout;
      if (!tied) {
        s.segments = 3;
        s.overlap = {true, true, true};
        s.broadcast_shapes = true;
        s.optimizer.state = layout.chunks == 1 ? DType::bf16 : DType::f32;
      }
      check(config, s, steps);
    }
  }
}

/// The other way round, on the layouts where most goes on.
TEST(LayoutInvariance, SwitchesOfALayout) {
  for (const char* name : {"dp2.pp2", "pp4", "pp2.v2", "tp2.pp2.dp2"}) {
    const Layout layout = plan::parse_layout(name);
    if (layout.ranks() != world().size()) continue;
    const plan::ModelConfig config = deep_model(true);
    const auto steps = three_steps(config);
    for (const plan::Overlap overlap : {plan::Overlap{true, false, false},
                                        {false, true, false},
                                        {false, false, true},
                                        {true, true, true}}) {
      model::TrainingSettings s = settings(DType::f32);
      s.layout = layout;
      s.segments = 2;
      s.overlap = overlap;
      s.recompute.layer = overlap.gather;
      s.broadcast_shapes = overlap.early_messages != overlap.reduce;
      check(config, s, steps);
    }
  }
}

}  // namespace
}  // namespace vlmark::test
