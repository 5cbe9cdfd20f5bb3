#pragma once

#include "src/engine/training_engine.hpp"
#include "src/verification/rows.hpp"

namespace vlmark::verification {

/// Rule V4 on every communicator of the grid, in sizes of one element to the largest message that it
/// carries in the run (at most kLargestChecked), and on the path that adds gradients up, in the mode
/// of the run and with the run's schedule. Overwrites the gradients. Collective.
std::vector<Finding> check_communicators(engine::TrainingEngine& engine);
inline constexpr std::size_t kLargestChecked = std::size_t{1} << 22;

}  // namespace vlmark::verification
