#pragma once

#include <string>
#include <vector>

#include "src/config/run_config.hpp"
#include "src/data/media.hpp"
#include "src/data/smart_resize.hpp"
#include "src/data/tokenizer.hpp"
#include "src/model/micro_batch.hpp"
#include "src/plan/model_config.hpp"
#include "src/recipe/training_data.hpp"

namespace vlmark::recipe {

/// Pictures with captions as training documents: the picture and the prompt as the user's turn, the
/// caption as the assistant's. Only the caption and the token that ends it are supervised.
class CaptionData final : public TrainingData {
 public:
  /// Reads captions and decodes every picture once (their sizes decide the shapes). Throws what
  /// data::read_picture and data::preprocessed_grid throw, and ConfigError where tokenizer and model
  /// disagree about a special token.
  CaptionData(const config::DataSection& settings, const plan::ModelConfig& model,
              data::Tokenizer tokenizer);
  /// Reads the tokenizer, too. Throws also what data::Tokenizer throws.
  CaptionData(const config::DataSection& settings, const plan::ModelConfig& model)
      : CaptionData(settings, model, data::Tokenizer::from_folder(settings.tokenizer)) {}

  /// What a rank that opens no pictures has to be told of one.
  struct Picture {
    data::ImageSize size;  ///< before the resize
    plan::Grid grid;       ///< after it
  };
  /// For a rank that prepares no pictures: opens none and takes sizes and grids from elsewhere. Throws
  /// ConfigError where there are not as many as captions.
  CaptionData(const config::DataSection& settings, const plan::ModelConfig& model,
              data::Tokenizer tokenizer, const std::vector<Picture>& pictures);

  int size() const override { return static_cast<int>(entries_.size()); }
  std::vector<data::ImageSize> picture_sizes(int i) const override { return {sizes_[index(i)]}; }
  Picture picture(int i) const { return {sizes_[index(i)], grids_[index(i)]}; }
  const data::CaptionedPicture& entry(int i) const { return entries_[index(i)]; }
  const data::Tokenizer& tokenizer() const { return tokenizer_; }

  /// The document of sample `i`; without pixels, its picture is a grid alone and nothing is decoded
  /// or resized.
  model::Sequence document(int i, bool pixels = true) const override;
  /// Its prompt alone, ready for the assistant's answer; `grey` takes a uniform grey picture of the
  /// same size instead.
  model::Sequence prompt(int i, bool grey) const;
  /// Shape of a micro-batch of these samples; opens no picture.
  plan::MicroBatchShape shape(const std::vector<int>& samples) const override;
  std::string summary(int i) const override;

 private:
  static std::size_t index(int i) { return static_cast<std::size_t>(i); }
  std::vector<int> prompt_ids(const plan::Grid& grid) const;
  void count_tokens();
  model::Sequence ask(const plan::Grid& grid, std::vector<float> pixel_values) const;
  model::Sequence ask(const data::Image& picture) const;

  config::DataSection settings_;
  plan::ModelConfig model_;
  data::Tokenizer tokenizer_;
  std::vector<data::CaptionedPicture> entries_;
  std::vector<data::Image> pictures_;          // decoded, original size; none without pixels
  std::vector<data::ImageSize> sizes_;         // of each picture, before the resize
  std::vector<plan::Grid> grids_;              // and after it
  std::vector<int> prompt_tokens_;             // of each prompt
  std::vector<std::vector<int>> caption_ids_;  // with the token that ends the turn
};

/// Throws ConfigError where a token that stands for vision is missing from the tokenizer or has
/// another id than the model expects, naming every one with both values, or where the tokenizer has
/// more tokens than the model has embedding rows.
void require_same_vision_tokens(const data::Tokenizer& tokenizer, const plan::ModelConfig& model);
/// The same, and for the token that ends a turn, which training supervises.
void require_same_special_tokens(const data::Tokenizer& tokenizer, const plan::ModelConfig& model);

/// Gives the model the tokenizer's ids of the special tokens, where it has them.
void adopt_special_tokens(const data::Tokenizer& tokenizer, plan::ModelConfig& model);

}  // namespace vlmark::recipe
