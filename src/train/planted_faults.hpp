#pragma once

#include "parallel/communicator.hpp"
#include "src/config/run_config.hpp"
#include "src/engine/training_engine.hpp"

namespace vlmark::train {

/// The errors of src/base/fault.hpp that the training loop can make; each does nothing unless it is
/// planted.

/// Fault::wrong_picture_size.
config::DataSection with_wrong_picture_size(config::DataSection data);
/// Fault::dropped_micro_batch: one token of text is left of it.
void drop_last_micro_batch(engine::StepInput& input, const plan::ModelConfig& model);
/// Fault::swapped_channels, Fault::unshifted_targets.
void spoil_inputs(model::MicroBatch& batch, const plan::VisionConfig& vision);
/// Fault::desynchronised_replica. Collective.
void desynchronise_replica(engine::TrainingEngine& engine, const parallel::Communicator& comm);

}  // namespace vlmark::train
