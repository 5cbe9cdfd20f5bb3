// A tensor without a gradient in a step is not touched: no decay, no moment update.

#include <gtest/gtest.h>

#include "parallel/self_communicator.hpp"
#include "tests/engine/small_model.hpp"
#include "tests/engine/training_run.hpp"

namespace vlmark::test {
namespace {

model::TrainingSettings decaying(DType type, plan::Trainable trainable = {}) {
  model::TrainingSettings settings{.type = type, .trainable = trainable};
  settings.optimizer.weight_decay = 0.5;
  settings.bucket_elements = 9'000;
  return settings;
}

std::map<std::string, std::vector<float>> masters_of(const engine::TrainingEngine& engine) {
  std::map<std::string, std::vector<float>> masters;
  engine.visit_owned(plan::OptimizerValue::master, [&](const plan::LogicalTensor& tensor,
                                                       long first, std::span<const float> values) {
    auto& to = masters[tensor.name];
    to.resize(static_cast<std::size_t>(tensor.size()));
    std::copy(values.begin(), values.end(), to.begin() + first);
  });
  return masters;
}

/// Expects that `step` changes the masters of exactly the groups that `learns` holds for.
template <class Learns>
void expect_changed(engine::TrainingEngine& engine, const model::Qwen2VL& model, const Step& step,
                    const Learns& learns) {
  const auto before = masters_of(engine);
  engine.step(input_of(step));
  const auto after = masters_of(engine);
  for (const plan::LogicalTensor& tensor : model.table().tensors)
    EXPECT_EQ(before.at(tensor.name) != after.at(tensor.name), learns(tensor.group)) << tensor.name;
}

bool of_llm(plan::Group group) { return group != plan::Group::vit && group != plan::Group::merger; }

TEST(Untouched, ATextOnlyStepLeavesTheVisionSide) {
  for (const DType type : {DType::f32, DType::bf16}) {
    const model::Qwen2VL model(small_untied_model());
    const Step six = six_micro_batches(model.config());
    const Step pictures{six[1], six[4]}, text{six[0], six[5]};
    const auto comm = parallel::self_communicator();
    const auto engine = make_engine(model, decaying(type), {pictures, text}, *comm);
    // First: moments and bias correction are not zero when the text comes.
    expect_changed(*engine, model, pictures, [](plan::Group) { return true; });
    expect_changed(*engine, model, text, of_llm);
  }
}

/// The vision side goes on as if the text step had never been: neither its moments decayed nor
/// its count of updates rose.
TEST(Untouched, ATextOnlyStepLeavesTheMomentsOfTheVisionSide) {
  const model::Qwen2VL model(small_model());
  const Step six = six_micro_batches(model.config());
  const Step pictures{six[1], six[3]}, text{six[0]};
  const auto comm = parallel::self_communicator();
  // Stage 1: the LLM is frozen, so that a text step can differ in nothing else.
  const auto settings = decaying(DType::f32, plan::Trainable::stage(1, true));
  const auto with = make_engine(model, settings, {pictures, text}, *comm);
  const auto without = make_engine(model, settings, {pictures}, *comm);
  for (int i = 0; i < 2; ++i) {
    with->step(input_of(pictures));
    with->step(input_of(text));
    without->step(input_of(pictures));
  }
  EXPECT_EQ(masters_of(*with), masters_of(*without));
  EXPECT_EQ(with->state_hash(), without->state_hash());
}

TEST(Untouched, EveryStageLeavesItsFrozenGroups) {
  const model::Qwen2VL model(small_model());
  const Step six = six_micro_batches(model.config());
  const auto comm = parallel::self_communicator();
  for (const int stage : {1, 2, 3})
    for (const bool merger : {false, true}) {
      SCOPED_TRACE("stage " + std::to_string(stage) + (merger ? " with merger" : ""));
      const plan::Trainable trainable = plan::Trainable::stage(stage, merger);
      for (const DType type : {DType::f32, DType::bf16}) {
        const auto engine = make_engine(model, decaying(type, trainable), {six}, *comm);
        expect_changed(*engine, model, six, trainable);
        expect_changed(*engine, model, six, trainable);
      }
    }
}

}  // namespace
}  // namespace vlmark::test
