#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/data/smart_resize.hpp"
#include "src/plan/model_config.hpp"
#include "src/plan/shapes.hpp"
#include "src/plan/trainable.hpp"

namespace vlmark::config {
struct RunConfig;
}

namespace vlmark::recipe {

class TrainingData;

/// Everything that fixes how much work a run is (rule R4): two runs are comparable only where the
/// hash of this is the same.
struct Manifest {
  struct Sample {
    int tokens = 0, supervised = 0;
    std::vector<plan::Grid> media;
    std::vector<data::ImageSize> pictures;  ///< of each medium: its size before any resize
    bool operator==(const Sample&) const = default;
  };
  plan::ModelConfig model;  ///< its numbers; without name and ids of tokens
  plan::Trainable trainable;
  std::uint64_t seed = 0;  ///< of weights and of the order of samples
  int micro_batches = 0, micro_batch_samples = 0;
  std::string data;  ///< "synthetic"; empty: captions (left out of the text, as records have it)
  std::vector<Sample> samples;

  /// Of all micro-batches of a step, as the order of samples gives them.
  std::vector<plan::MicroBatchShape> step(int index) const;
  bool operator==(const Manifest&) const = default;
};

/// Of a run that trains `model` on `data` as `config` says.
Manifest manifest_of(const config::RunConfig& config, const plan::ModelConfig& model,
                     const TrainingData& data);

/// JSON on one line, keys in one order: its SHA-256 is the manifest's.
std::string to_json(const Manifest& manifest);
/// Throws IoError, with `where`, for what to_json would not have written.
Manifest parse_manifest(std::string_view json, const std::string& where);

}  // namespace vlmark::recipe
