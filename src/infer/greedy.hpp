#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "src/engine/inference_engine.hpp"

namespace vlmark::infer {

/// A finished generation.
struct Generation {
  std::vector<int> tokens;     ///< the stop token, if one came, is not among them
  std::vector<float> margins;  ///< logit of each token minus the second largest
  bool stopped = false;        ///< by a stop token, not by length
  std::int64_t first_token_ns = 0, total_ns = 0;
};

/// Takes the token of the largest logit (the lowest id of a tie) until a stop token or
/// `max_new_tokens`. Throws ValueError where a logit is NaN or the sequence grows beyond the
/// model's positions.
Generation generate_greedy(engine::InferenceEngine& engine, const model::Sequence& prompt,
                           const plan::ModelConfig& model, int max_new_tokens,
                           std::span<const int> stop_ids);

}  // namespace vlmark::infer
