#pragma once

#include "src/model/training_plan.hpp"
#include "src/verification/rows.hpp"

namespace vlmark::verification {

/// Rule V7 at the verification size, on this rank alone; in fp32 whatever the run's precision:
///
///     D(h) = (L(w + h s) - L(w - h s)) / 2 h,    s_i = +-1 by Philox,
///     | (4 D(h / 2) - D(h)) / 3 - g s | / max(|g s|, ||g||) <= 1e-3
///
/// Richardson's step removes the error of order h^2, so that h may be large against the noise of an
/// fp32 loss. ||g|| is what |g s| is on average over directions. And, because one direction weighs a
/// tensor by its share of the gradient: the norm of every tensor's gradient against fp64, 1e-4. In a
/// bf16 run also every tensor's gradient by the bf16 kernels against the fp32 ones, at weights that
/// make positions, biases and gains count: || g16 - g32 || / || g32 || <= 0.2.
std::vector<Finding> check_gradient(const model::TrainingSettings& of_run, bool tied);

}  // namespace vlmark::verification
