#include "src/verification/gradient_check.hpp"

#include <cmath>

#include "src/base/philox.hpp"
#include "src/verification/trajectory.hpp"

namespace vlmark::verification {
namespace {

constexpr double kStep = 4e-4, kDirectionLimit = 1e-3, kNormLimit = 1e-4;
/// Norms are relative to their own size, at least to this part of the whole gradient's.
constexpr double kSmallest = 1e-6;

float sign(const Philox& random, long i) {
  return (random.block(static_cast<std::uint64_t>(i))[0] & 1u) != 0 ? 1.0f : -1.0f;
}

std::string stream(const plan::LogicalTensor& tensor) { return "direction " + tensor.name; }

}  // namespace

std::vector<Finding> check_gradient(const model::TrainingSettings& of_run, bool tied) {
  const StoredTrajectory stored = read_stored_trajectory(tied);
  model::TrainingSettings settings = of_run;
  settings.type = settings.optimizer.state = DType::f32;
  settings.attention = AttentionBackend::own;  // the vendor's serves bf16 alone
  VerificationRun run(settings, stored, tied);

  const engine::StepResult base = run.step(0);
  double slope = 0;
  run.engine().visit_owned_gradients(
      [&](const plan::LogicalTensor& tensor, long first, std::span<const float> values) {
        const Philox random(stored.seed, stream(tensor));
        for (std::size_t i = 0; i < values.size(); ++i)
          slope += static_cast<double>(values[i]) * sign(random, first + static_cast<long>(i));
      });
  double worst = 0;
  std::string tensor = "none";
  const auto norms = tensor_norms(run.engine());
  for (const auto& [name, exact] : stored.tensor_norms) {
    const auto at = norms.find(name);
    const double norm = at == norms.end() ? 0 : at->second;
    const double error = std::abs(norm - exact) / std::max(exact, kSmallest * base.grad_norm);
    if (!(error <= worst)) worst = error, tensor = name;
  }

  const plan::TensorFill weights = plan::initial_weights(stored.seed);
  const auto loss_at = [&](double h) {
    run.engine().set_parameters(
        [&](const plan::LogicalTensor& t, long first, std::span<float> values) {
          weights(t, first, values);
          const Philox random(stored.seed, stream(t));
          for (std::size_t i = 0; i < values.size(); ++i)
            values[i] += static_cast<float>(h) * sign(random, first + static_cast<long>(i));
        });
    return run.step(0).loss;
  };
  const auto difference = [&](double h) { return (loss_at(h) - loss_at(-h)) / (2 * h); };
  const double measured = (4 * difference(kStep / 2) - difference(kStep)) / 3;
  const double error = std::abs(measured - slope) / std::max(std::abs(slope), base.grad_norm);
  return {finding("V7", "gradient along a random direction against differences of the loss", error,
                  kDirectionLimit, std::to_string(slope) + " by the gradient"),
          finding("V7", "norm of a tensor's gradient against fp64, fp32", worst, kNormLimit,
                  "worst: " + tensor)};
}

}  // namespace vlmark::verification
