#pragma once

#include "src/config/run_config.hpp"
#include "src/data/tokenizer.hpp"
#include "src/model/training_plan.hpp"
#include "src/plan/model_config.hpp"

namespace vlmark::recipe {

/// The model that the run description names: a preset, perhaps reduced, or a checkpoint
/// folder's config.json. Throws ConfigError, IoError.
plan::ModelConfig model_of(const config::ModelSection& model);
/// The same for training on text of `tokenizer`. Random weights give no id a meaning, so a preset
/// takes its ids of special tokens.
plan::ModelConfig model_of(const config::ModelSection& model, const data::Tokenizer& tokenizer);

/// What the engine does on `ranks` ranks as the run description asks for it. Throws ConfigError with
/// every reason, one a line, why the layout cannot run `model` on them.
model::TrainingSettings training_settings(const config::RunConfig& config,
                                          const plan::ModelConfig& model, int ranks);

}  // namespace vlmark::recipe
