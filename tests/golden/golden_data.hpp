#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "src/model/micro_batch.hpp"
#include "src/plan/model_config.hpp"
#include "src/plan/tensor_fill.hpp"

namespace vlmark::test {

/// One reference case of one reference model (tests/golden/README.md): nothing about widths, heads,
/// shards or names is assumed.
struct GoldenCase {
  std::filesystem::path model;  ///< folder with config.json
  std::string name;             ///< NAME.safetensors with NAME.grads.safetensors beside it

  /// "tiny_image", for test names.
  std::string label() const;
};

/// The folder VLMARK_GOLDEN, or the project's own.
std::filesystem::path golden_folder();
std::vector<std::filesystem::path> golden_models();
/// All cases of all models in alphabetical order.
std::vector<GoldenCase> golden_cases();
/// Models that have FILE beside their config.json.
std::vector<std::filesystem::path> golden_models_with(const std::string& file);
/// A model or file name made fit for a test name.
std::string test_name(std::string text);

plan::ModelConfig golden_config(const std::filesystem::path& model);
/// The checkpoint's weights.
plan::TensorFill golden_weights(const std::filesystem::path& model);

/// Any stored tensor as double, by its name in the file.
class GoldenTensors {
 public:
  explicit GoldenTensors(const std::filesystem::path& file);
  bool has(const std::string& name) const { return tensors_.contains(name); }
  const std::vector<double>& at(const std::string& name) const;
  std::vector<std::string> names() const;

 private:
  std::filesystem::path file_;
  std::map<std::string, std::vector<double>> tensors_;
};

/// Sequences of a case with their media in order of appearance.
std::vector<model::Sequence> golden_sequences(const GoldenTensors& tensors,
                                              const plan::ModelConfig& config);

}  // namespace vlmark::test
