// Layout never changes the answer: the same steps on any number of ranks have the bits of one rank.

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

void expect_same_bits(const Trained& together, const Trained& alone) {
  EXPECT_EQ(together.losses, alone.losses);
  EXPECT_EQ(together.grad_norms, alone.grad_norms);
  EXPECT_EQ(together.parameters, alone.parameters);
  EXPECT_EQ(together.state, alone.state);
}

/// A test that compares nothing with nothing would pass: the loss must move and every norm count.
void expect_learning(const Trained& run) {
  for (const double norm : run.grad_norms) {
    EXPECT_TRUE(std::isfinite(norm));
    EXPECT_GT(norm, 0);
  }
  for (const double loss : run.losses) EXPECT_TRUE(std::isfinite(loss));
  EXPECT_NE(run.losses[0], run.losses[1]);
}

struct Case {
  const char* name;
  model::TrainingSettings settings;
  bool tied = true;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

model::TrainingSettings settings(DType type, long bucket, plan::Trainable trainable = {},
                                 plan::Recompute recompute = {}) {
  return {.type = type,
          .trainable = trainable,
          .recompute = recompute,
          .deterministic = true,
          .bucket_elements = bucket};
}

model::TrainingSettings bf16_states(long bucket, plan::Trainable trainable = {}) {
  model::TrainingSettings s = settings(DType::bf16, bucket, trainable);
  s.optimizer.state = DType::bf16;
  return s;
}

const auto stage = [](int s, bool merger) { return plan::Trainable::stage(s, merger); };

class RankInvariance : public testing::TestWithParam<Case> {};

TEST_P(RankInvariance, ThreeStepsHaveTheBitsOfOneRank) {
  const model::Qwen2VL model(GetParam().tied ? small_model() : small_untied_model());
  const auto steps = three_steps(model.config());
  const Trained together = train(model, GetParam().settings, steps, world());
  const Trained alone = train(model, GetParam().settings, steps, *parallel::self_communicator());
  expect_learning(alone);
  expect_same_bits(together, alone);
}

INSTANTIATE_TEST_SUITE_P(
    Settings, RankInvariance,
    testing::Values(
        Case{"fp32", settings(DType::f32, 0)}, Case{"bf16", settings(DType::bf16, 0)},
        Case{"fp32_untied", settings(DType::f32, 20'000), false},
        Case{"bf16_untied", settings(DType::bf16, 20'000), false},
        Case{"fp32_small_buckets", settings(DType::f32, 4'096)},
        Case{"bf16_small_buckets", settings(DType::bf16, 4'096)},
        Case{"fp32_stage1", settings(DType::f32, 10'000, stage(1, true))},
        Case{"bf16_stage1_merger_frozen", settings(DType::bf16, 10'000, stage(1, false))},
        Case{"bf16_stage3", settings(DType::bf16, 10'000, stage(3, false)), false},
        Case{"fp32_stage3_with_merger", settings(DType::f32, 10'000, stage(3, true))},
        Case{"fp32_recompute", settings(DType::f32, 5'000, {}, {true, true})},
        Case{"bf16_states", bf16_states(0)},
        Case{"bf16_states_small_buckets", bf16_states(4'096), false},
        Case{"bf16_states_stage3", bf16_states(10'000, stage(3, false))},
        Case{"bf16_recompute", settings(DType::bf16, 5'000, {}, {true, true}), false},
        Case{"bf16_recompute_layers", settings(DType::bf16, 5'000, {}, {.layer = true})}),
    [](const auto& c) { return std::string(c.param.name); });

TEST(RankInvariance, BucketsAndRecomputeChangeNoBit) {
  const model::Qwen2VL model(small_model());
  const auto steps = three_steps(model.config());
  const Trained plain = train(model, settings(DType::f32, 0), steps, world());
  for (const auto& other :
       {settings(DType::f32, 4'096), settings(DType::f32, 50'000),
        settings(DType::f32, 40'000, {}, {true, false}), settings(DType::f32, 0, {}, {false, true}),
        settings(DType::f32, 0, {}, {.up_projection = true}),
        settings(DType::f32, 0, {}, {.attention = true}),
        settings(DType::f32, 0, {}, {true, true, true, true, false}),
        settings(DType::f32, 0, {}, {.layer = true})}) {
    const Trained run = train(model, other, steps, world());
    EXPECT_EQ(run.losses, plain.losses);
    EXPECT_EQ(run.grad_norms, plain.grad_norms);
    EXPECT_EQ(run.parameters, plain.parameters);
  }
}

TEST(RankInvariance, FewerMicroBatchesThanRanks) {
  const model::Qwen2VL model(small_model());
  const Step six = six_micro_batches(model.config());
  for (const std::size_t count : {1u, 2u, 3u, 5u}) {
    // Text, picture, video and packed in turn; some ranks have nothing to do in any step.
    std::vector<Step> steps;
    for (std::size_t i = 0; i < 3; ++i) {
      Step step;
      for (std::size_t m = 0; m < count; ++m) step.push_back(six[(i + m) % 5]);
      steps.push_back(step);
    }
    for (const DType type : {DType::f32, DType::bf16}) {
      const Trained together = train(model, settings(type, 9'000), steps, world());
      const Trained alone =
          train(model, settings(type, 9'000), steps, *parallel::self_communicator());
      expect_learning(alone);
      expect_same_bits(together, alone);
    }
  }
}

TEST(RankInvariance, AStepWithoutSupervisionChangesNothing) {
  const model::Qwen2VL model(small_model());
  const Step six = six_micro_batches(model.config());
  const std::vector<Step> steps{{six[0], six[1]}, {six[5], six[5]}};
  const auto engine = make_engine(model, settings(DType::f32, 9'000), steps, world());
  engine->step(input_of(steps[0]));
  const auto before = parameters_of(*engine);
  const std::uint64_t state = engine->state_hash();
  const engine::StepResult result = engine->step(input_of(steps[1]));
  EXPECT_EQ(result.loss, 0);
  EXPECT_EQ(result.grad_norm, 0);
  EXPECT_EQ(parameters_of(*engine), before);
  EXPECT_EQ(engine->state_hash(), state);
}

double distance(const Trained& a, const Trained& b) {
  double difference = 0, size = 0;
  for (const auto& [name, values] : a.parameters)
    for (std::size_t i = 0; i < values.size(); ++i) {
      difference += std::pow(values[i] - b.parameters.at(name)[i], 2);
      size += std::pow(values[i], 2);
    }
  return std::sqrt(difference / size);
}

/// The fast mode adds in another order: each gradient moves by some roundings, a step of AdamW by at
/// most twice the learning rate where a gradient is about zero, on average by far less.
TEST(FastMode, AgreesWithinRoundingAndIsReproducible) {
  const model::Qwen2VL model(small_model());
  const auto steps = three_steps(model.config());
  model::TrainingSettings fast = settings(DType::f32, 9'000);
  fast.deterministic = false;
  const Trained exact = train(model, settings(DType::f32, 9'000), steps, world());
  const Trained once = train(model, fast, steps, world());
  expect_learning(once);
  EXPECT_NEAR(once.losses[0], exact.losses[0], 1e-6 * exact.losses[0]);
  EXPECT_NEAR(once.grad_norms[0], exact.grad_norms[0], 1e-5 * exact.grad_norms[0]);
  for (std::size_t i = 1; i < steps.size(); ++i)
    EXPECT_NEAR(once.losses[i], exact.losses[i], 1e-3 * exact.losses[i]);
  EXPECT_LT(distance(once, exact), 1e-3);
  expect_same_bits(train(model, fast, steps, world()), once);
}

TEST(FastMode, EveryRankHoldsTheSameParameters) {
  const model::Qwen2VL model(small_untied_model());
  const auto steps = three_steps(model.config());
  for (model::TrainingSettings fast :
       {settings(DType::f32, 9'000), settings(DType::bf16, 9'000), bf16_states(9'000)}) {
    fast.deterministic = false;
    const auto engine = make_engine(model, fast, steps, world());
    for (const Step& step : steps) {
      const double loss = engine->step(input_of(step)).loss;
      EXPECT_EQ(parallel::broadcast_value(world(), loss), loss);
      EXPECT_TRUE(parallel::same_on_all_ranks(world(), engine->parameter_hash()));
    }
    EXPECT_EQ(engine->non_finite_parameters(), 0u);
  }
}

}  // namespace
}  // namespace vlmark::test
