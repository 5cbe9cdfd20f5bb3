#pragma once

#include "src/config/run_config.hpp"
#include "src/model/training_plan.hpp"
#include "src/plan/model_config.hpp"

namespace vlmark::recipe {

/// The model that the run description names: a preset, or a checkpoint folder's config.json.
/// Throws ConfigError, IoError.
plan::ModelConfig model_of(const config::ModelSection& model);

/// Arithmetic of the engine as the run description asks for it.
model::TrainingSettings training_settings(const config::RunConfig& config);

}  // namespace vlmark::recipe
