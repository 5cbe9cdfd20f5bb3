#pragma once

#include <vector>

#include "src/model/micro_batch.hpp"
#include "src/plan/model_config.hpp"

namespace vlmark::test {

/// A Qwen2-VL of about 10^5 parameters: two layers each, tied, four query and two key heads of 16
/// in the LLM, of 16 in the ViT.
plan::ModelConfig small_model();
/// Another: three and one layers, not tied, heads of 32 (two share one key head) and 24.
plan::ModelConfig small_untied_model();

/// Six micro-batches unlike each other: text; a picture; two pictures; a video of three frame
/// pairs; a packed row of text, picture and video; text of which nothing is supervised.
std::vector<model::MicroBatch> six_micro_batches(const plan::ModelConfig& model);

/// A sequence of `before` random tokens, the media between vision start and end, `after` random
/// tokens; those after the media are supervised where `supervise` says so.
model::Sequence sequence(const plan::ModelConfig& model, int before,
                         const std::vector<model::Medium>& media, int after, bool supervise,
                         std::uint64_t seed);
/// Random pixels.
model::Medium medium(const plan::ModelConfig& model, plan::Grid grid, bool video,
                     std::uint64_t seed);

}  // namespace vlmark::test
