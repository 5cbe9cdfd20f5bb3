#pragma once

#include "src/app/plan_task.hpp"
#include "src/sim/machine.hpp"

namespace vlmark::app {

/// Replays the step of the task's layout on `machine` and, with --trace, reads what a run of it took:
/// writes both as --figure, the run above, and prints the predicted and the measured time. Throws
/// ConfigError where the record is of another number of ranks, IoError where a file cannot be read
/// or written.
void compare_with_trace(const PlanOptions& options, const Task& task, const sim::Machine& machine);

}  // namespace vlmark::app
