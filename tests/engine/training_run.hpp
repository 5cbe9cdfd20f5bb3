#pragma once

#include <map>
#include <string>
#include <vector>

#include "src/engine/training_engine.hpp"

namespace vlmark::test {

using Step = std::vector<model::MicroBatch>;  ///< all micro-batches of one step

/// Three steps of six_micro_batches, which change places, so that every rank meets every kind; the
/// last has five of the six.
std::vector<Step> three_steps(const plan::ModelConfig& model);

/// What a run leaves, in a form that does not depend on the number of ranks.
struct Trained {
  std::vector<double> losses, grad_norms;
  std::map<std::string, std::vector<float>> parameters;  ///< NaN where this rank holds none
  std::uint64_t state = 0;                               ///< sum of all ranks' state hashes
};

model::Steps shapes_of(const std::vector<Step>& steps);

/// `model` is what the rank holds in the layout of `settings`; a layout of one rank stands for all
/// ranks of `comm` as replicas.
std::unique_ptr<engine::TrainingEngine> make_engine(const model::Qwen2VL& model,
                                                    model::TrainingSettings settings,
                                                    const std::vector<Step>& steps,
                                                    parallel::Communicator& comm,
                                                    engine::Patience patience = {});
engine::StepInput input_of(const Step& step);
std::map<std::string, std::vector<float>> parameters_of(const engine::TrainingEngine& engine);

/// Trains from seed 1 through all steps. Collective over `comm`.
Trained train(const model::Qwen2VL& model, const model::TrainingSettings& settings,
              const std::vector<Step>& steps, parallel::Communicator& comm);

}  // namespace vlmark::test
