#pragma once

#include <string>

#include "src/plan/model_config.hpp"

namespace vlmark::data {

/// A `tokenizer.json` for a model that has none, as random weights: one token for each byte, no
/// merges, Qwen2-VL's special tokens at the model's ids, and between them placeholders that no text
/// gives, so that ids are dense. Text takes one token per UTF-8 byte.
/// Throws ConfigError where the model's special ids do not follow one another as Qwen2-VL's do.
std::string byte_tokenizer_json(const plan::ModelConfig& model);

}  // namespace vlmark::data
