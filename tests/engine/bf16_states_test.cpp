// States in bf16 train as states in fp32 do, on half the memory.

#include <gtest/gtest.h>

#include <cmath>

#include "parallel/self_communicator.hpp"
#include "tests/engine/small_model.hpp"
#include "tests/engine/training_run.hpp"

namespace vlmark::test {
namespace {

model::TrainingSettings settings(DType state, bool deterministic) {
  model::TrainingSettings s;
  s.type = DType::bf16;
  s.deterministic = deterministic;
  s.optimizer.state = state;
  return s;
}

std::vector<double> losses(const model::Qwen2VL& model, const model::TrainingSettings& settings) {
  const Step step = six_micro_batches(model.config());
  const auto comm = parallel::self_communicator();
  const auto engine = make_engine(model, settings, {step}, *comm);
  engine::StepInput input = input_of(step);
  input.learning_rate = 1e-3;
  std::vector<double> losses;
  for (int i = 0; i < 30; ++i) losses.push_back(engine->step(input).loss);
  return losses;
}

TEST(Bf16States, LossFallsAsWithFp32States) {
  const model::Qwen2VL model(small_model());
  const auto exact = losses(model, settings(DType::f32, true));
  EXPECT_LT(exact.back(), 0.6 * exact.front());
  for (const bool deterministic : {true, false}) {
    const auto rounded = losses(model, settings(DType::bf16, deterministic));
    EXPECT_EQ(rounded[0], exact[0]);
    for (std::size_t i = 1; i < exact.size(); ++i)
      EXPECT_NEAR(rounded[i], exact[i], 0.01 * exact[i]) << i;
    EXPECT_NE(rounded.back(), exact.back());
  }
}

std::int64_t bytes_of(const model::MemoryPlan& plan, const std::string& category) {
  for (const plan::MemoryItem& item : plan.items)
    if (item.category == category) return item.bytes;
  return 0;
}

TEST(Bf16States, TakeEightBytesAParameterAndOneSegmentInFp32) {
  for (const int segments : {1, 3}) {
    model::TrainingSettings s = settings(DType::bf16, true);
    s.segments = segments;
    const model::Steps steps{{six_micro_batches(small_model())[1].shape}};
    const model::Qwen2VL model(small_model(), model::shard_of(small_model(), s, steps, {}));
    const plan::FlatLayout layout(model.table(), 1, 0);
    const auto plan = model::plan_training(model, s, steps, 0);
    const std::int64_t n = layout.size();
    EXPECT_EQ(bytes_of(plan, "parameters"), 2 * n);
    EXPECT_EQ(bytes_of(plan, "optimizer"), 4 * n);
    // The tied embedding's segment waits for both its shares beside another one.
    const int embedding = model.shard().segment_of(model.units().embedding());
    const bool waits = embedding + 1 < segments;
    long largest = 0;
    for (int i = 0; i < segments; ++i)
      if (!waits || i != embedding) largest = std::max(largest, layout.segment(i).size());
    const long forming = largest + (waits ? layout.segment(embedding).size() : 0);
    EXPECT_EQ(bytes_of(plan, "gradients"), 2 * n + 4 * forming);
  }
}

}  // namespace
}  // namespace vlmark::test
