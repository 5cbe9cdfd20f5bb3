#pragma once

#include <string>

#include "src/plan/layout.hpp"
#include "src/plan/schedule.hpp"

namespace vlmark::engine {

/// Whom an action of the rank at `place` waits for: the communicator and its ranks in the world;
/// empty where it is on its own.
std::string awaited(const plan::Action& action, const plan::Layout& grid, const plan::Place& place);

}  // namespace vlmark::engine
