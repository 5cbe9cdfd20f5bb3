#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "src/plan/model_config.hpp"

namespace vlmark::io {

/// `generation_config.json`: how a folder asks to be decoded.
struct GenerationConfig {
  int bos_id = 151643;
  int pad_id = 151643;
  std::vector<int> eos_ids = {151645, 151643};  ///< any of them ends a generation
  bool do_sample = false;
  double temperature = 1.0;
  double top_p = 1.0;
  int top_k = 50;
  double repetition_penalty = 1.0;
  bool operator==(const GenerationConfig&) const = default;
};

/// The ids of a model, greedy: it ends at eos and at pad (<|endoftext|>).
GenerationConfig generation_config_of(const plan::ModelConfig& model);

/// Absent keys keep the value of `fallback` for ids, transformers' defaults for the rest.
/// Throws ConfigError with all problems, IoError.
GenerationConfig read_generation_config(const std::filesystem::path& file,
                                        const plan::ModelConfig& model);
void write_generation_config(const std::filesystem::path& file, const GenerationConfig& config);

/// `preprocessor_config.json`: how pictures become patches.
struct PreprocessorConfig {
  std::int64_t min_pixels = 3136;      ///< 56^2
  std::int64_t max_pixels = 12845056;  ///< 16384 tokens of 28^2 pixels
  std::array<double, 3> mean = {0.48145466, 0.4578275, 0.40821073};  ///< RGB, of values in [0, 1]
  std::array<double, 3> std = {0.26862954, 0.26130258, 0.27577711};
  bool operator==(const PreprocessorConfig&) const = default;
};

/// `min_pixels` and `max_pixels` may also stand as size.shortest_edge and size.longest_edge; absent
/// both, transformers' class defaults count (3136 and 1003520). Throws ConfigError with all
/// problems: patch sizes other than the model's, a switched-off or different step (only bicubic
/// resize, 1/255 and RGB normalisation are implemented), limits out of order. IoError.
PreprocessorConfig read_preprocessor_config(const std::filesystem::path& file,
                                            const plan::VisionConfig& vision);
void write_preprocessor_config(const std::filesystem::path& file, const PreprocessorConfig& config,
                               const plan::VisionConfig& vision);

}  // namespace vlmark::io
