#include "src/verification/trajectory.hpp"

#include <cmath>

#include "parallel/self_communicator.hpp"

namespace vlmark::verification {

struct VerificationRun::Parts {
  std::unique_ptr<parallel::Communicator> alone = parallel::self_communicator();
  model::Qwen2VL model;
  std::vector<model::MicroBatch> batches;
  std::unique_ptr<engine::TrainingEngine> engine;
};

VerificationRun::VerificationRun(const model::TrainingSettings& of_run,
                                 const StoredTrajectory& stored, bool tied)
    : parts_(new Parts{.model = model::Qwen2VL(verification_model(tied))}) {
  model::TrainingSettings settings;
  settings.type = of_run.type;
  settings.recompute = of_run.recompute;
  settings.deterministic = of_run.deterministic;
  settings.attention = of_run.attention;
  settings.staged = of_run.staged;
  settings.optimizer = stored.optimizer;
  settings.optimizer.state = of_run.optimizer.state;
  parts_->batches = verification_batches(parts_->model.config(), stored.seed);
  model::Steps steps(1);
  for (const auto& batch : parts_->batches) steps[0].push_back(batch.shape);
  const auto plan = model::plan_training(parts_->model, settings, steps, 0);
  parts_->engine = engine::make_training_engine(parts_->model, settings, plan, *parts_->alone);
  parts_->engine->set_parameters(plan::initial_weights(stored.seed));
}

VerificationRun::~VerificationRun() = default;

engine::TrainingEngine& VerificationRun::engine() { return *parts_->engine; }

engine::StepResult VerificationRun::step(double learning_rate) {
  engine::StepInput input;
  for (const auto& batch : parts_->batches) input.shapes.push_back(batch.shape);
  input.load = [this](int m, model::Contents) {
    return parts_->batches[static_cast<std::size_t>(m)];
  };
  input.learning_rate = learning_rate;
  return parts_->engine->step(input);
}

std::map<std::string, double> tensor_norms(const engine::TrainingEngine& engine) {
  std::map<std::string, double> norms;
  engine.visit_owned_gradients(
      [&](const plan::LogicalTensor& tensor, long, std::span<const float> values) {
        double& squares = norms[tensor.name];
        for (const double value : values) squares += value * value;
      });
  for (auto& [name, norm] : norms) norm = std::sqrt(norm);
  return norms;
}

std::vector<Finding> check_trajectory(const model::TrainingSettings& of_run, bool tied) {
  const StoredTrajectory stored = read_stored_trajectory(tied);
  const bool fp32 = of_run.type == DType::f32;
  const double loss_limit = fp32 ? 1e-5 : 5e-3, norm_limit = fp32 ? 1e-4 : 2e-2;
  VerificationRun run(of_run, stored, tied);
  const std::size_t steps = stored.losses.size();
  double worst_loss = 0, worst_norm = 0;
  std::size_t loss_step = 0, norm_step = 0;
  std::vector<Finding> found;
  for (std::size_t s = 0; s < steps; ++s) {
    const engine::StepResult result = run.step(stored.learning_rate);
    const double looser = 1 + 3 * static_cast<double>(s) / static_cast<double>(steps - 1);
    const double loss = std::abs(result.loss - stored.losses[s]) / stored.losses[s];
    const double norm = std::abs(result.grad_norm - stored.grad_norms[s]) / stored.grad_norms[s];
    if (!(loss / looser <= worst_loss)) worst_loss = loss / looser, loss_step = s + 1;
    if (!(norm / looser <= worst_norm)) worst_norm = norm / looser, norm_step = s + 1;
    if (s == 0 || s + 1 == steps)
      found.push_back(finding("V5", "trajectory, loss of step " + std::to_string(s + 1), loss,
                              loss_limit * looser, "relative to fp64"));
  }
  found.push_back(finding("V5", "trajectory, worst loss over what the step loosens", worst_loss,
                          loss_limit, "step " + std::to_string(loss_step)));
  found.push_back(finding("V5", "trajectory, worst gradient norm over what the step loosens",
                          worst_norm, norm_limit, "step " + std::to_string(norm_step)));
  return found;
}

}  // namespace vlmark::verification
