// The host stands in for a device: the arena is closed to host code, and every value goes through
// staging. Results have the same bits as without.

#include <gtest/gtest.h>

#include "kernels/gemm_choice.hpp"
#include "parallel/scalars.hpp"
#include "src/engine/inference_engine.hpp"
#include "src/engine/staging.hpp"
#include "tests/engine/small_model.hpp"
#include "tests/engine/training_run.hpp"
#include "tests/support/guarded_memory.hpp"
#include "tests/support/mpi_world.hpp"

namespace vlmark::test {
namespace {

/// Products that are Kokkos kernels, as on a device.
class DeviceMemory : public testing::Test {
 protected:
  void SetUp() override { kernels::set_gemm_backend(kernels::GemmBackend::kokkos); }
  void TearDown() override { kernels::set_gemm_backend(kernels::GemmBackend::automatic); }
};

std::vector<Step> two_steps(const plan::ModelConfig& model) {
  const Step six = six_micro_batches(model);
  return {six, {six[4], six[0], six[3]}};
}

struct Case {
  plan::ModelConfig config;
  DType type;
  bool deterministic;
  DType state = DType::f32;
};

TEST_F(DeviceMemory, TrainingHasTheSameBits) {
  for (const Case& c :
       {Case{small_model(), DType::bf16, true}, Case{small_untied_model(), DType::f32, true},
        Case{small_untied_model(), DType::f32, false},
        Case{small_model(), DType::bf16, true, DType::bf16},
        Case{small_untied_model(), DType::bf16, false, DType::bf16}}) {
    SCOPED_TRACE(c.config.name + (c.deterministic ? "" : " fast"));
    const model::Qwen2VL model(c.config);
    const auto steps = two_steps(c.config);
    model::TrainingSettings settings{
        .type = c.type, .deterministic = c.deterministic, .bucket_elements = 60'000};
    settings.optimizer.state = c.state;
    const Trained plain = train(model, settings, steps, world());
    settings.staged = true;
    const GuardedMemory guard;
    const Trained staged = train(model, settings, steps, world());
    EXPECT_EQ(staged.losses, plain.losses);
    EXPECT_EQ(staged.grad_norms, plain.grad_norms);
    EXPECT_EQ(staged.parameters, plain.parameters);
    EXPECT_EQ(staged.state, plain.state);
  }
}

TEST_F(DeviceMemory, WhatAnEngineTellsOfItselfIsTheSame) {
  const model::Qwen2VL model(small_model());
  const auto steps = two_steps(model.config());
  const auto told = [&](DType state, bool staged) {
    model::TrainingSettings settings{.type = DType::bf16, .bucket_elements = 60'000};
    settings.optimizer.state = state;
    settings.staged = staged;
    const auto engine = make_engine(model, settings, steps, world());
    engine->step(input_of(steps[0]));
    std::vector<float> values;
    const plan::TensorVisit take = [&](const plan::LogicalTensor&, long first,
                                       std::span<const float> piece) {
      values.push_back(static_cast<float>(first));
      values.insert(values.end(), piece.begin(), piece.end());
    };
    for (const auto value : {plan::OptimizerValue::master, plan::OptimizerValue::first_moment,
                             plan::OptimizerValue::second_moment})
      engine->visit_owned(value, take);
    engine->visit_owned_gradients(take);
    values.push_back(static_cast<float>(engine->non_finite_parameters()));
    const auto logits = engine->inference()->logits(steps[0][2]);
    values.insert(values.end(), logits.begin(), logits.end());
    return std::pair(values, engine->parameter_hash());
  };
  for (const DType state : {DType::f32, DType::bf16}) {
    const auto plain = told(state, false);
    const GuardedMemory guard;
    EXPECT_EQ(told(state, true), plain);
  }
}

TEST_F(DeviceMemory, InferenceHasTheSameBits) {
  const model::Qwen2VL model(small_untied_model());
  const Step six = six_micro_batches(model.config());
  for (const DType type : {DType::f32, DType::bf16}) {
    const auto answers = [&](bool staged) {
      const auto engine = engine::make_inference_engine(model, type, staged);
      engine->set_parameters(plan::initial_weights(3));
      std::vector<std::vector<float>> all{engine->vision(six[1]), engine->hidden(six[2]),
                                          engine->logits(six[4])};
      all.push_back(engine->prefill(six[3], static_cast<long>(six[3].ids.size()) + 3));
      for (const int token : {5, 6, 7}) all.push_back(engine->decode(token));
      return all;
    };
    const auto plain = answers(false);
    const GuardedMemory guard;
    EXPECT_EQ(answers(true), plain);
  }
}

/// The arena is what the planner said, staging included.
TEST_F(DeviceMemory, StagingIsPlanned) {
  const model::Qwen2VL model(small_model());
  const Step six = six_micro_batches(model.config());
  const auto planned = [&](bool staged, bool device_transport = false) {
    model::TrainingSettings settings;
    settings.staged = staged;
    settings.device_transport = device_transport;
    settings.layout.data = world().size();
    return model::plan_training(model, settings, shapes_of({six}), world().rank());
  };
  const auto staging = [](const model::MemoryPlan& plan) {
    for (const plan::MemoryItem& item : plan.items)
      if (item.category == "staging") return item.bytes;
    return std::int64_t{0};
  };
  EXPECT_EQ(staging(planned(false)), 0);
  EXPECT_GE(staging(planned(true)), plan::staging_piece_bytes);
  EXPECT_EQ(staging(planned(true, true)), plan::staging_piece_bytes);  // messages need none
  EXPECT_GE(planned(true).arena_bytes, planned(false).arena_bytes);    // index arrays
}

}  // namespace
}  // namespace vlmark::test
