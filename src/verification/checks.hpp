#pragma once

#include "src/engine/training_engine.hpp"
#include "src/verification/step_probes.hpp"

namespace vlmark::verification {

/// What rules V2, V3, V4, V5 (trajectory, layout) and V7 say after a run, the same on every rank, and what
/// each part cost.
struct Report {
  std::vector<io::Verification> checks;
  /// "verification.trajectory_s" ...: seconds of the slowest rank; "replayed.7.loss" ...: of a step
  /// run again.
  std::vector<io::PlanValue> values;
};

/// Ends the verification of a run of `model`: takes what `probes` found and runs the rest, on every
/// rank. The
/// counters of the process are as before afterwards. Overwrites the engine's gradients. Collective.
Report finish(const StepProbes& probes, engine::TrainingEngine& engine,
              const model::TrainingSettings& settings, const plan::ModelConfig& model,
              parallel::Communicator& world);

}  // namespace vlmark::verification
