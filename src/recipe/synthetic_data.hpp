#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "src/config/pictures.hpp"
#include "src/config/run_config.hpp"
#include "src/plan/model_config.hpp"
#include "src/recipe/training_data.hpp"

namespace vlmark::recipe {

/// Documents made from a seed, without files or tokenizer: the pictures of the run description, then
/// text. Every number depends on (seed, sample) alone.
///
/// Text is a learnable task: 64 ids spread over the vocabulary, each followed by its successor in a
/// random cycle with probability 3/4, else by any of the 64. A model that has learned it has a loss of
///
///     -p ln p - (1 - p) ln((1 - p) / 63),  p = 3/4 + 1/4 / 64,      about 1.6
///
/// All tokens of the text are supervised (without a picture all but the first, which follows
/// nothing). Pictures are shaded areas of the given sizes, resized by the model's own limits of
/// area, as `vlmark plan --picture` does.
class SyntheticData final : public TrainingData {
 public:
  /// Throws what data::preprocessed_grid throws, and ConfigError where the vocabulary has too few
  /// ids beside the special ones.
  SyntheticData(const config::DataSection& settings, const plan::ModelConfig& model,
                std::uint64_t seed);

  int size() const override { return settings_.samples; }
  model::Sequence document(int i, bool pixels) const override;
  plan::MicroBatchShape shape(const std::vector<int>& samples) const override;
  std::vector<data::ImageSize> picture_sizes(int i) const override;
  std::string summary(int i) const override;

 private:
  struct Picture {
    config::PictureSize size;
    plan::Grid grid;
  };
  const std::vector<Picture>& pictures(int i) const {
    return groups_[static_cast<std::size_t>(i) % groups_.size()];
  }
  std::vector<float> pixels(int i, int k) const;

  config::DataSection settings_;
  plan::ModelConfig model_;
  std::uint64_t seed_;
  std::vector<std::vector<Picture>> groups_;
  std::vector<int> alphabet_;  // ids that stand for text, each followed by its successor
};

}  // namespace vlmark::recipe
