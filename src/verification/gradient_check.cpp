#include "src/verification/gradient_check.hpp"

#include <cmath>

#include "src/base/bf16.hpp"
#include "src/base/philox.hpp"
#include "src/verification/trajectory.hpp"

namespace vlmark::verification {
namespace {

constexpr double kStep = 4e-4, kDirectionLimit = 1e-3, kNormLimit = 1e-4;
/// Norms are relative to their own size, at least to this part of the whole gradient's.
constexpr double kSmallest = 1e-6;
/// Of the same in bf16: a tensor's gradient differs from fp32's by a few per cent of its norm, and
/// by more where it is next to nothing (key biases, which only positions tell apart).
constexpr double kBf16Limit = 0.2, kSmallestOfBf16 = 1e-3;
/// Of the weights of queries and keys: with those before training attention is all but uniform.
constexpr float kLook = 8;

float sign(const Philox& random, long i) {
  return (random.block(static_cast<std::uint64_t>(i))[0] & 1u) != 0 ? 1.0f : -1.0f;
}

/// Weights at which everything counts: attention that looks somewhere, so that positions do, too.
plan::TensorFill looking_weights(std::uint64_t seed) {
  return [lively = lively_weights(seed)](const plan::LogicalTensor& tensor, long first,
                                         std::span<float> values) {
    lively(tensor, first, values);
    const bool looks = tensor.name.find("q_proj.weight") != std::string::npos ||
                       tensor.name.find("k_proj.weight") != std::string::npos ||
                       tensor.name.find("attn.qkv.weight") != std::string::npos;
    for (float& value : values)  // the same in either precision
      value = widen(narrow<bf16>(looks ? kLook * value : value));
  };
}

using Gradients = std::map<std::string, std::vector<float>>;
Gradients gradients_at(VerificationRun& run, const StoredTrajectory& stored) {
  run.engine().set_parameters(looking_weights(stored.seed));
  run.step(0);
  Gradients gradients;
  run.engine().visit_owned_gradients(
      [&](const plan::LogicalTensor& tensor, long first, std::span<const float> values) {
        auto& all = gradients[tensor.name];
        all.resize(static_cast<std::size_t>(tensor.whole_size()));
        std::copy(values.begin(), values.end(), all.begin() + first);
      });
  return gradients;
}

double norm_of(std::span<const float> values) {
  double squares = 0;
  for (const double value : values) squares += value * value;
  return std::sqrt(squares);
}

/// In bf16, tensor by tensor: its whole gradient against fp32's.
Finding against_fp32(VerificationRun& fp32, VerificationRun& run, const StoredTrajectory& stored) {
  const Gradients exact = gradients_at(fp32, stored), found = gradients_at(run, stored);
  double squares = 0, worst = 0;
  for (const auto& [name, values] : exact) squares += std::pow(norm_of(values), 2);
  std::string tensor = "none";
  for (const auto& [name, values] : exact) {
    std::vector<float> off = found.at(name);
    for (std::size_t i = 0; i < off.size(); ++i) off[i] -= values[i];
    const double error =
        norm_of(off) / std::max(norm_of(values), kSmallestOfBf16 * std::sqrt(squares));
    if (!(error <= worst)) worst = error, tensor = name;
  }
  return finding("V7", "gradient of a tensor against fp32's, bf16", worst, kBf16Limit,
                 "worst: " + tensor);
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
  std::vector<Finding> found{
      finding("V7", "gradient along a random direction against differences of the loss", error,
              kDirectionLimit, std::to_string(slope) + " by the gradient"),
      finding("V7", "norm of a tensor's gradient against fp64, fp32", worst, kNormLimit,
              "worst: " + tensor)};
  if (of_run.type == DType::bf16) {
    VerificationRun in_bf16(of_run, stored, tied);
    found.push_back(against_fp32(run, in_bf16, stored));
  }
  return found;
}

}  // namespace vlmark::verification
