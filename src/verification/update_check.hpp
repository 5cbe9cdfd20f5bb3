#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "src/engine/training_engine.hpp"
#include "src/verification/rows.hpp"

namespace vlmark::verification {

/// What a step has to do to the weights, besides its gradient.
struct Update {
  model::TrainingSettings settings;
  double learning_rate = 0;
  /// Steps so far, this one included, that gave the LLM a gradient, and ViT and merger.
  int llm_steps = 0, vision_steps = 0;
  /// Whether this one does.
  bool llm = true, vision = true;
};

/// Rule V1, the update: of some elements of every tensor, clipping and AdamW (arXiv:1711.05101,
/// algorithm 2) of one live step are formed again in double from the gradient, the moments and the
/// weights as the engine holds them; and the norm from every element of the gradient. Sees a learning
/// rate that is not the schedule's, a tensor nobody updates, moments that are not kept.
class UpdateCheck {
 public:
  /// Remembers the state before the step. `seed`: of the elements, kSamples of each tensor wherever
  /// it is held. Not collective.
  UpdateCheck(const engine::TrainingEngine& engine, std::uint64_t seed);
  /// After the step that gave `result`. `place`: of this rank. Collective over `world`, and not for
  /// parameters that are averaged now and then (TrainingSettings::average_every).
  std::vector<Finding> after(const engine::TrainingEngine& engine, const engine::StepResult& result,
                             const Update& update, const plan::Place& place,
                             parallel::Communicator& world) const;

  static constexpr int kSamples = 8;

 private:
  using Values = std::array<double, plan::optimizer_values>;
  using Elements = std::map<long, Values>;  // by place in the whole tensor

  std::vector<long> places(const plan::LogicalTensor& tensor) const;
  std::map<std::string, Elements> state_of(const engine::TrainingEngine& engine) const;

  std::uint64_t seed_;
  std::map<std::string, Elements> before_;  // by tensor; what this rank owns
};

}  // namespace vlmark::verification
