#pragma once

#include "src/app/commands.hpp"
#include "src/model/training_plan.hpp"

namespace vlmark::app {

/// What is planned: a model, its arithmetic and the micro-batches of every step.
struct Task {
  plan::ModelConfig model;
  model::TrainingSettings settings;
  model::Steps steps;
};

/// The layout that was asked for, by option or run description; empty: none.
std::string layout_of(const PlanOptions& options);
/// --ranks; else the ranks of that layout; else 1.
int ranks_of(const PlanOptions& options);

/// As it was asked for. Throws ConfigError where the layout cannot run the model on `ranks` ranks.
Task task_of(const PlanOptions& options, int ranks);
/// The same for no layout in particular: micro-batches enough for `ranks`, settings of one rank.
Task task_of_any_layout(const PlanOptions& options, int ranks);

}  // namespace vlmark::app
