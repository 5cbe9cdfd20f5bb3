// What all tensor ranks hold: bit-identical where gradients are summed; where they are not, copies
// part, and averages bring them together again.

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "parallel/scalars.hpp"
#include "src/base/counters.hpp"
#include "src/model/step_traffic.hpp"
#include "tests/engine/small_model.hpp"
#include "tests/engine/training_run.hpp"
#include "tests/support/mpi_world.hpp"

namespace vlmark::test {
namespace {

using plan::Layout;

constexpr int never = 1 << 20;  // steps, more than any test takes

/// With two and four tensor ranks (which share two key/value heads), replicas and stages.
std::vector<Layout> layouts() {
  std::vector<Layout> found;
  for (const char* name : {"tp2", "tp4", "tp2.dp2", "tp2.pp2"})
    if (const Layout layout = plan::parse_layout(name); layout.ranks() == world().size())
      found.push_back(layout);
  return found;
}

model::TrainingSettings settings(const Layout& layout, int average_every) {
  model::TrainingSettings s;
  s.bucket_elements = 20'000;
  s.segments = 2;
  s.layout = layout;
  s.average_every = average_every;
  return s;
}

/// One rank's engine and all that lives as long.
struct Training {
  Training(const model::TrainingSettings& s, const std::vector<Step>& steps,
           parallel::Communicator& comm = world())
      : shard(small_model(), model::shard_of(small_model(), s, shapes_of(steps),
                                             plan::place_of(s.layout, comm.rank()))),
        engine(make_engine(shard, s, steps, comm)),
        tensor(comm.split(comm.rank() / s.layout.tensor, comm.rank())) {}

  engine::StepResult step(const Step& step, double learning_rate = 1e-3) {
    engine::StepInput input = input_of(step);
    input.learning_rate = learning_rate;
    return engine->step(input);
  }
  /// Distance of the replicated parameters from tensor rank 0's copy over their norm, the largest
  /// of all ranks.
  double drift() const {
    double difference = 0, size = 0;
    engine->visit_parameters(
        [&](const plan::LogicalTensor& tensor_, long, std::span<const float> values) {
          if (tensor_.sharing != plan::Sharing::replicated) return;
          std::vector<float> first(values.begin(), values.end());
          tensor->broadcast(parallel::buffer(first), 0).wait();
          for (std::size_t i = 0; i < first.size(); ++i) {
            difference += std::pow(values[i] - first[i], 2);
            size += std::pow(first[i], 2);
          }
        });
    return parallel::all_reduce_max(world(), std::sqrt(difference / size));
  }

  model::Qwen2VL shard;
  std::unique_ptr<engine::TrainingEngine> engine;
  std::unique_ptr<parallel::Communicator> tensor;
};

std::vector<Step> some_steps(int count) {
  const std::vector<Step> three = three_steps(small_model());
  std::vector<Step> steps;
  for (int i = 0; i < count; ++i) steps.push_back(three[static_cast<std::size_t>(i) % 3]);
  return steps;
}

TEST(SharedParameters, NeverPartWhereGradientsAreSummed) {
  const auto steps = some_steps(6);
  for (const Layout& layout : layouts()) {
    SCOPED_TRACE(to_string(layout));
    Training run(settings(layout, 0), steps);
    for (const Step& step : steps) {
      run.step(step);
      EXPECT_EQ(run.engine->differing_ranks(), 0);
      EXPECT_EQ(run.drift(), 0);
    }
  }
}

TEST(SharedParameters, PartWhereNothingHoldsThemTogether) {
  const auto steps = some_steps(24);
  for (const Layout& layout : layouts()) {
    SCOPED_TRACE(to_string(layout));
    Training run(settings(layout, never), steps);
    double at[24];
    for (std::size_t i = 0; i < steps.size(); ++i) {
      run.step(steps[i]);
      at[i] = run.drift();
      EXPECT_GT(run.engine->differing_ranks(), 0) << "step " << i;
    }
    if (world().rank() == 0)
      std::printf("%s: drift after 1, 6, 24 steps: %.4f, %.4f, %.4f\n", to_string(layout).c_str(),
                  at[0], at[5], at[23]);
    EXPECT_GT(at[0], 1e-4);
    EXPECT_GT(at[5], 1.5 * at[0]);
    EXPECT_GT(at[23], 1.5 * at[5]);
    run.engine->gather_parameters();  // what everyone who reads weights calls
    EXPECT_EQ(run.engine->differing_ranks(), 0);
    EXPECT_EQ(run.drift(), 0);
  }
}

TEST(SharedParameters, AreEqualAfterEachAverageInEveryFormat) {
  const auto steps = some_steps(7);
  for (const Layout& layout : layouts())
    for (const auto& [type, state] : {std::pair{DType::f32, DType::f32},
                                      {DType::bf16, DType::f32},
                                      {DType::bf16, DType::bf16}}) {
      SCOPED_TRACE(to_string(layout) + " " + std::string(name_of(type)) + " states in " +
                   std::string(name_of(state)));
      model::TrainingSettings s = settings(layout, 3);
      s.type = type;
      s.optimizer.state = state;
      s.deterministic = type == DType::f32;
      Training run(s, steps);
      for (std::size_t i = 0; i < steps.size(); ++i) {
        run.step(steps[i]);
        if ((i + 1) % 3 == 0) {
          EXPECT_EQ(run.engine->differing_ranks(), 0) << "step " << i;
          EXPECT_EQ(run.drift(), 0) << "step " << i;
        } else {
          EXPECT_GT(run.engine->differing_ranks(), 0) << "step " << i;
        }
      }
    }
}

/// Not the same path, but as good a one: losses within 1 % of each other over 24 steps.
TEST(SharedParameters, AveragedLearnAsSummedOnes) {
  const auto steps = some_steps(24);
  const auto losses = [&](const Layout& layout, int average_every) {
    Training run(settings(layout, average_every), steps);
    std::vector<double> values;
    for (const Step& step : steps) values.push_back(run.step(step).loss);
    return values;
  };
  for (const Layout& layout : layouts()) {
    SCOPED_TRACE(to_string(layout));
    const auto summed = losses(layout, 0), averaged = losses(layout, 4);
    double largest = 0;
    for (std::size_t i = 0; i < steps.size(); ++i)
      largest = std::max(largest, std::abs(averaged[i] - summed[i]) / summed[i]);
    if (world().rank() == 0)
      std::printf("%s: loss %.4f to %.4f, at most %.2f %% from the summed one\n",
                  to_string(layout).c_str(), averaged.front(), averaged.back(), 100 * largest);
    EXPECT_EQ(averaged[0], summed[0]);
    EXPECT_LT(averaged.back(), 0.8 * averaged.front());
    EXPECT_LT(largest, 0.01);
    EXPECT_GT(largest, 0);
  }
}

/// With an epsilon far above the gradients AdamW's step is linear in them, and the mean of steps
/// with a rank's part times the number of ranks is the step with the sum.
TEST(SharedParameters, AveragedStepIsTheSummedOneWhereItIsLinear) {
  const auto steps = some_steps(1);
  for (const Layout& layout : layouts()) {
    SCOPED_TRACE(to_string(layout));
    model::TrainingSettings s = settings(layout, 0);
    s.optimizer.eps = 1e3;
    s.optimizer.weight_decay = 0;
    s.optimizer.clip_norm = 1e9;
    Training before(s, steps), summed(s, steps);
    s.average_every = 1;
    Training averaged(s, steps);
    summed.step(steps[0], 10);
    averaged.step(steps[0], 10);
    const auto old = parameters_of(*before.engine), exact = parameters_of(*summed.engine),
               mean = parameters_of(*averaged.engine);
    for (const auto& [name, values] : exact) {
      double difference = 0, size = 0;
      for (std::size_t i = 0; i < values.size(); ++i) {
        if (std::isnan(values[i])) continue;  // held elsewhere
        difference += std::pow(values[i] - mean.at(name)[i], 2);
        size += std::pow(values[i] - old.at(name)[i], 2);
      }
      EXPECT_LE(std::sqrt(difference), 1e-2 * std::sqrt(size) + 1e-6) << name;
    }
  }
}

/// One norm on all ranks: that of the summed gradients where each holder's part is as long as all.
TEST(SharedParameters, NormTakesTheMeanOfTheRanksEstimates) {
  const auto steps = some_steps(1);
  for (const Layout& layout : layouts()) {
    SCOPED_TRACE(to_string(layout));
    Training run(settings(layout, never), steps);
    const double norm = run.step(steps[0]).grad_norm;
    double squares = 0;
    run.engine->visit_owned_gradients(
        [&](const plan::LogicalTensor& tensor, long, std::span<const float> values) {
          const bool replicated = tensor.sharing == plan::Sharing::replicated;
          const double weight = replicated ? static_cast<double>(tensor.holders.size())
                                           : 1.0 / static_cast<double>(tensor.holders.size());
          for (const float x : values) squares += weight * x * x;
        });
    std::vector<double> sum{squares};
    world().all_reduce(parallel::buffer(sum), parallel::Reduce::sum).wait();
    EXPECT_NEAR(norm, std::sqrt(sum[0]), 1e-6 * norm);
    EXPECT_TRUE(parallel::same_on_all_ranks(world(), norm));
  }
}

TEST(SharedParameters, SwitchesReplicasAndStagesChangeNoBitOfATensorGroup) {
  if (world().size() != 4) return;  // np 4 sees it
  const auto steps = some_steps(5);
  const auto losses = [&](const model::TrainingSettings& s, parallel::Communicator& comm) {
    Training run(s, steps, comm);
    std::vector<double> values;
    for (const Step& step : steps) values.push_back(run.step(step).loss);
    return values;
  };
  const auto pair = world().split(world().rank() / 2, world().rank());
  const std::vector<double> two = losses(settings({.tensor = 2}, 2), *pair);
  for (const char* name : {"tp2.dp2", "tp2.pp2"})
    for (const bool overlap : {false, true}) {
      SCOPED_TRACE(name);
      model::TrainingSettings s = settings(plan::parse_layout(name), 2);
      s.overlap = {overlap, overlap, overlap};
      EXPECT_EQ(losses(s, world()), two);
    }
}

TEST(SharedParameters, SendThePlannedBytesWithAndWithoutAverage) {
  const auto steps = some_steps(4);
  for (const Layout& layout : layouts())
    for (const DType state : {DType::f32, DType::bf16})
      for (const bool overlap : {false, true}) {
        SCOPED_TRACE(to_string(layout) + " states in " + std::string(name_of(state)));
        model::TrainingSettings s = settings(layout, 2);
        s.type = DType::bf16;
        s.optimizer.state = state;
        s.overlap = {overlap, overlap, overlap};
        Training run(s, steps);
        const model::Steps shapes = shapes_of(steps);
        const model::MemoryPlan memory = model::plan_training(run.shard, s, shapes, world().rank());
        const model::RankPlan rank(run.shard, s, memory.most_micro_batches, world().rank(),
                                   memory.slot_rows);
        std::vector<std::uint64_t> tensor;
        for (std::size_t i = 0; i < steps.size(); ++i) {
          const std::uint64_t before = counters().sent_bytes;
          run.step(steps[i]);
          const model::StepTraffic planned =
              model::step_traffic(run.shard, s, rank, shapes[i], static_cast<long>(i));
          EXPECT_EQ(counters().sent_bytes - before, planned.total()) << "step " << i;
          tensor.push_back(planned.tensor);
        }
        EXPECT_GT(tensor[3], tensor[0]);  // steps 0 and 3 have the same micro-batches
        s.average_every = 0;
        EXPECT_LT(tensor[0], model::step_traffic(run.shard, s, rank, shapes[0]).tensor);
      }
}

}  // namespace
}  // namespace vlmark::test
