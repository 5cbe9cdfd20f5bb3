#pragma once

#include "parallel/communicator.hpp"
#include "src/model/training_plan.hpp"
#include "src/verification/rows.hpp"

namespace vlmark::verification {

/// Rule V5 across ranks: a few steps of a small model in the layout of the run, with its switches,
/// against the same steps on one rank. What check_trajectory cannot see, since it runs on a rank
/// alone: a partial sum lost between tensor ranks, a message between stages that is another one's, a
/// parameter that its owner updated and nobody gathered. The model is as deep as the layout has
/// chunks and has the key/value heads of `of_run`, as far as they change how tensor ranks share them.
/// Exact where the layout must change no bit (deterministic, no tensor ranks). Nothing on one rank.
/// Collective.
std::vector<Finding> check_layout(const model::TrainingSettings& settings,
                                  const plan::ModelConfig& of_run, parallel::Communicator& world);

}  // namespace vlmark::verification
