#include "tests/engine/training_run.hpp"

#include <algorithm>
#include <limits>

#include "parallel/scalars.hpp"
#include "tests/engine/small_model.hpp"

namespace vlmark::test {

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

model::Steps shapes_of(const std::vector<Step>& steps) {
  model::Steps shapes;
  for (const Step& step : steps) {
    shapes.emplace_back();
    for (const model::MicroBatch& batch : step) shapes.back().push_back(batch.shape);
  }
  return shapes;
}

std::unique_ptr<engine::TrainingEngine> make_engine(const model::Qwen2VL& model,
                                                    model::TrainingSettings settings,
                                                    const std::vector<Step>& steps,
                                                    parallel::Communicator& comm,
                                                    engine::Patience patience) {
  if (settings.layout.ranks() == 1) settings.layout.data = comm.size();
  const auto plan = model::plan_training(model, settings, shapes_of(steps), comm.rank());
  auto engine = engine::make_training_engine(model, settings, plan, comm, patience);
  engine->set_parameters(plan::initial_weights(1));
  return engine;
}

engine::StepInput input_of(const Step& step) {
  engine::StepInput input;
  for (const model::MicroBatch& batch : step) input.shapes.push_back(batch.shape);
  input.load = [&step](int m, model::Contents wanted) {
    return model::reduced(step[static_cast<std::size_t>(m)], wanted);
  };
  input.learning_rate = 1e-2;
  return input;
}

constexpr float not_held = std::numeric_limits<float>::quiet_NaN();

std::map<std::string, std::vector<float>> parameters_of(const engine::TrainingEngine& engine) {
  std::map<std::string, std::vector<float>> parameters;
  engine.visit_parameters(
      [&](const plan::LogicalTensor& tensor, long first, std::span<const float> values) {
        auto& to = parameters[tensor.name];
        to.resize(static_cast<std::size_t>(tensor.whole_size()), not_held);
        std::copy(values.begin(), values.end(), to.begin() + first);
      });
  return parameters;
}

Trained train(const model::Qwen2VL& model, const model::TrainingSettings& settings,
              const std::vector<Step>& steps, parallel::Communicator& comm) {
  const auto engine = make_engine(model, settings, steps, comm);
  Trained trained;
  for (const Step& step : steps) {
    const engine::StepResult result = engine->step(input_of(step));
    trained.losses.push_back(result.loss);
    trained.grad_norms.push_back(result.grad_norm);
  }
  engine->gather_parameters();
  trained.parameters = parameters_of(*engine);
  trained.state = static_cast<std::uint64_t>(
      parallel::all_reduce_sum(comm, static_cast<std::int64_t>(engine->state_hash())));
  return trained;
}

}  // namespace vlmark::test
