#pragma once

#include <functional>

#include "src/engine/training_engine.hpp"
#include "src/verification/rows.hpp"
#include "src/verification/verification_size.hpp"

namespace vlmark::verification {

/// An engine of one rank for the verification size, with the arithmetic of `of_run`: precision,
/// attention, recomputation, order of sums, type of the optimizer's states.
class VerificationRun {
 public:
  VerificationRun(const model::TrainingSettings& of_run, const StoredTrajectory& stored, bool tied);
  ~VerificationRun();

  engine::TrainingEngine& engine();
  engine::StepResult step(double learning_rate);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// Norm of the last step's gradient, by tensor.
std::map<std::string, double> tensor_norms(const engine::TrainingEngine& engine);

/// Rule V5: 20 steps of the verification size, on this rank alone, against losses and gradient norms
/// computed in double by another program. Limits are relative, at step 1, and grow linearly to four
/// times that at the last step:
///
/// |               | fp32 | bf16 |                                                          |
/// |---------------|------|------|----------------------------------------------------------|
/// | loss          | 1e-5 | 5e-3 | the rule's                                               |
/// | gradient norm | 1e-4 | 2e-2 | a hundred times, and thrice, what the kernels are off by |
std::vector<Finding> check_trajectory(const model::TrainingSettings& of_run, bool tied);

}  // namespace vlmark::verification
