#include "src/verification/update_check.hpp"

#include <algorithm>
#include <cmath>

#include "parallel/scalars.hpp"
#include "src/base/philox.hpp"

namespace vlmark::verification {
namespace {

using plan::LogicalTensor;

constexpr double kNormLimit = 1e-5;

/// Relative errors that rounding allows: of a stored value, and of the change of a weight, in which
/// a root and a quotient of rounded numbers stand.
struct Rounding {
  double value, change;
};
Rounding rounding_of(DType state) {
  // bf16 goes to either neighbour (plan::OptimizerSettings::state).
  return state == DType::f32 ? Rounding{0x1p-21, 1e-4} : Rounding{0x1p-6, 5e-2};
}

}  // namespace

std::vector<long> UpdateCheck::places(const LogicalTensor& tensor) const {
  const Philox random(seed_, "update " + tensor.name);
  const auto size = static_cast<std::uint64_t>(tensor.whole_size());
  std::vector<long> places;
  for (std::uint64_t i = 0; i < kSamples; ++i)
    places.push_back(static_cast<long>(random.below(i, size)));
  return places;
}

std::map<std::string, UpdateCheck::Elements> UpdateCheck::state_of(
    const engine::TrainingEngine& engine) const {
  std::map<std::string, Elements> state;
  for (int value = 0; value < plan::optimizer_values; ++value)
    engine.visit_owned(static_cast<plan::OptimizerValue>(value),
                       [&](const LogicalTensor& tensor, long first, std::span<const float> values) {
                         for (const long place : places(tensor))
                           if (place >= first && place - first < std::ssize(values))
                             state[tensor.name][place][static_cast<std::size_t>(value)] =
                                 values[static_cast<std::size_t>(place - first)];
                       });
  return state;
}

UpdateCheck::UpdateCheck(const engine::TrainingEngine& engine, std::uint64_t seed)
    : seed_(seed), before_(state_of(engine)) {}

std::vector<Finding> UpdateCheck::after(const engine::TrainingEngine& engine,
                                        const engine::StepResult& result, const Update& update,
                                        const plan::Place& place,
                                        parallel::Communicator& world) const {
  const plan::OptimizerSettings& o = update.settings.optimizer;
  const bool averaged = update.settings.average_every > 0 && update.settings.layout.tensor > 1;
  const Rounding rounding = rounding_of(o.state);
  const double clip = std::min(1.0, o.clip_norm / (result.grad_norm + 1e-6));
  auto after = state_of(engine);
  double worst = 0, squares = 0;
  std::string tensor_of_worst = "none";

  const auto compare = [&](const LogicalTensor& tensor, long at, double gradient) {
    const auto [w, m, v] = before_.at(tensor.name).at(at);
    const bool vision = tensor.group == plan::Group::vit || tensor.group == plan::Group::merger;
    const bool moves =
        update.settings.trainable(tensor.group) && (vision ? update.vision : update.llm);
    double weight = w, first = m, second = v, of_first = std::abs(m), of_change = 0;
    if (moves) {
      const double g = clip * gradient;
      const int steps = vision ? update.vision_steps : update.llm_steps;
      first = o.beta1 * m + (1 - o.beta1) * g;
      second = o.beta2 * v + (1 - o.beta2) * g * g;
      // What the first moment is multiplied by, and its size before terms of either sign cancel.
      const double scale = 1 / (1 - std::pow(o.beta1, steps)) /
                           (std::sqrt(second / (1 - std::pow(o.beta2, steps))) + o.eps);
      of_first = o.beta1 * std::abs(m) + (1 - o.beta1) * std::abs(g);
      const double decay = tensor.decays() ? o.weight_decay * w : 0;
      weight = w - update.learning_rate * (first * scale + decay);
      of_change = update.learning_rate * (of_first * scale + std::abs(decay));
    }
    const auto check = [&](double found, double expected, double allowed) {
      const double off = std::abs(found - expected) / (allowed + 1e-37);
      if (!(off <= worst)) worst = off, tensor_of_worst = tensor.name;
    };
    const auto& [weight_now, first_now, second_now] = after[tensor.name][at];
    check(weight_now, weight, rounding.value * std::abs(weight) + rounding.change * of_change);
    check(first_now, first, rounding.value * of_first);
    check(second_now, second, rounding.value * second);
  };
  engine.visit_owned_gradients(
      [&](const LogicalTensor& tensor, long first, std::span<const float> values) {
        const bool shared = tensor.sharing == plan::Sharing::replicated;
        if (averaged && shared) return;
        if (tensor.sharing == plan::Sharing::split || tensor.holders.begin == place.tensor)
          for (const double value : values) squares += value * value;
        for (const long at : places(tensor))
          if (at >= first && at - first < std::ssize(values))
            compare(tensor, at, values[static_cast<std::size_t>(at - first)]);
      });
  std::vector<Finding> found{
      finding("V1", "update, in times of what rounding allows", worst, 1, tensor_of_worst)};
  if (averaged) return found;
  const double norm = std::sqrt(parallel::all_reduce_sum(world, squares));
  found.push_back(finding("V1", "gradient norm against the gradient's elements",
                          std::abs(result.grad_norm - norm) / std::max(norm, 1e-300), kNormLimit));
  return found;
}

}  // namespace vlmark::verification
