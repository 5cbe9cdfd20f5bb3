#pragma once

#include "src/model/training_plan.hpp"
#include "src/verification/rows.hpp"

namespace vlmark::verification {

/// Rule V7 at the verification size, in fp32 whatever the run's precision, on this rank alone:
///
///     D(h) = (L(w + h s) - L(w - h s)) / 2 h,    s_i = +-1 by Philox,
///     | (4 D(h / 2) - D(h)) / 3 - g s | / max(|g s|, ||g||) <= 1e-3
///
/// Richardson's step removes the error of order h^2, so that h may be large against the noise of an
/// fp32 loss. ||g|| is what |g s| is on average over directions. And, because one direction weighs a
/// tensor by its share of the gradient: the norm of every tensor's gradient against fp64, 1e-4.
std::vector<Finding> check_gradient(const model::TrainingSettings& of_run, bool tied);

}  // namespace vlmark::verification
