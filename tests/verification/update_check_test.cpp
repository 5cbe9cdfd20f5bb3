#include "src/verification/update_check.hpp"

#include <gtest/gtest.h>

#include "parallel/self_communicator.hpp"
#include "tests/engine/small_model.hpp"
#include "tests/engine/training_run.hpp"

namespace vlmark::test {
namespace {

using verification::Update;
using verification::UpdateCheck;

constexpr double kRate = 1e-3;

/// Of the third step of six micro-batches: largest value over its limit where the update is said to
/// be `said`.
double worst(DType type, DType state, const std::function<void(Update&)>& said) {
  const model::Qwen2VL model(small_model());
  const auto comm = parallel::self_communicator();
  model::TrainingSettings settings;
  settings.type = type;
  settings.optimizer.state = state;
  settings.bucket_elements = 9'000;
  const auto steps = three_steps(model.config());
  const auto engine = make_engine(model, settings, steps, *comm);
  engine->set_parameters(plan::initial_weights(1));
  const auto step = [&](const Step& batches) {
    engine::StepInput input = input_of(batches);
    input.learning_rate = kRate;
    return engine->step(input);
  };
  step(steps[0]), step(steps[1]);
  const UpdateCheck check(*engine, 7);
  const engine::StepResult result = step(steps[2]);
  Update update{settings, kRate, 3, 3, true, true};
  said(update);
  double most = 0;
  for (const auto& f : check.after(*engine, result, update, {}, *comm))
    most = std::max(most, f.check.value / f.check.limit);
  return most;
}

const auto as_it_was = [](Update&) {};

TEST(UpdateCheck, AllowsWhatRoundingDoes) {
  EXPECT_LT(worst(DType::f32, DType::f32, as_it_was), 1);
  EXPECT_LT(worst(DType::bf16, DType::f32, as_it_was), 1);
  EXPECT_LT(worst(DType::bf16, DType::bf16, as_it_was), 1);
}

TEST(UpdateCheck, FindsAnotherUpdate) {
  const std::pair<const char*, std::function<void(Update&)>> faults[] = {
      {"a learning rate 1 % off", [](Update& u) { u.learning_rate *= 1.01; }},
      {"the bias of the second step", [](Update& u) { u.llm_steps = 2; }},
      {"the bias of the second step in the ViT", [](Update& u) { u.vision_steps = 2; }},
      {"half the clipping", [](Update& u) { u.settings.optimizer.clip_norm /= 2; }},
      {"no decay", [](Update& u) { u.settings.optimizer.weight_decay = 0; }},
      {"another beta1", [](Update& u) { u.settings.optimizer.beta1 = 0.91; }},
      {"another beta2", [](Update& u) { u.settings.optimizer.beta2 = 0.951; }},
      {"a merger that learned", [](Update& u) { u.settings.trainable.merger = false; }},
      {"an LLM without a gradient", [](Update& u) { u.llm = false; }}};
  for (const auto& [name, fault] : faults) {
    EXPECT_GT(worst(DType::f32, DType::f32, fault), 1) << name;
    EXPECT_GT(worst(DType::bf16, DType::f32, fault), 1) << name;
  }
}

}  // namespace
}  // namespace vlmark::test
