#pragma once

#include <string>

#include "src/model/micro_batch.hpp"

namespace vlmark::bench {

/// Writes what a step trains on for another program to read: config.json and the weights of
/// plan::initial_weights(1) in fp32 as Hugging Face has them, `batch.json` with `ids`, `labels` (of
/// each token, -100: not supervised), `grids` [t, h, w] and the optimizer's `settings`, and
/// `pixels.f32`, [patches, values] in the machine's byte order. Throws IoError where `folder` holds
/// anything.
void write_case(const std::string& folder, const plan::ModelConfig& config,
                const model::MicroBatch& batch, double learning_rate);

}  // namespace vlmark::bench
