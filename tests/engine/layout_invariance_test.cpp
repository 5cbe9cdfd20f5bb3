// Layout never changes the answer: replicas, stages, ZeRO-1, overlap and recomputation leave every
// bit as it is on one rank; tensor parallelism, which adds in another order, leaves it within the
// roundings of the format.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <ostream>

#include "parallel/scalars.hpp"
#include "parallel/self_communicator.hpp"
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

/// Text, pictures, videos, packed and unsupervised micro-batches in turn.
std::vector<Step> three_steps(const plan::ModelConfig& model) {
  Step step = six_micro_batches(model);
  std::vector<Step> steps;
  for (int i = 0; i < 3; ++i) {
    steps.push_back(step);
    std::rotate(step.begin(), step.begin() + 1, step.end());
  }
  steps.back().pop_back();
  return steps;
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

TEST(LayoutInvariance, EveryLayoutOfTheseRanks) {
  for (const bool tied : {true, false}) {
    const plan::ModelConfig config = deep_model(tied);
    const auto steps = three_steps(config);
    for (const Layout& layout : layouts_of(config, world().size(), 6)) {
      if (world().rank() == 0)
        std::printf("%s %s\n", config.name.c_str(), to_string(layout).c_str());
      model::TrainingSettings s = settings(DType::f32);
      s.layout = layout;
      check(config, s, steps);
      s.type = DType::bf16;
      s.segments = 3;
      s.overlap = {true, true, true};
      check(config, s, steps);
      s.optimizer.state = DType::bf16;
      check(config, s, steps);
    }
  }
}

}  // namespace
}  // namespace vlmark::test
