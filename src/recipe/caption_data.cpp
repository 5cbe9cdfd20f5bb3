#include "src/recipe/caption_data.hpp"

#include <utility>

#include "src/base/contracts.hpp"
#include "src/base/error.hpp"
#include "src/data/patches.hpp"
#include "src/data/question.hpp"

namespace vlmark::recipe {
namespace {

data::PixelLimits limits(const config::DataSection& settings) {
  return {static_cast<double>(settings.min_pixels), static_cast<double>(settings.max_pixels)};
}

using Wanted = std::vector<std::pair<const char*, int>>;

Wanted vision_tokens(const plan::ModelConfig& model) {
  return {{"<|vision_start|>", model.vision_start_id},
          {"<|vision_end|>", model.vision_end_id},
          {"<|image_pad|>", model.image_id},
          {"<|video_pad|>", model.video_id}};
}

void require_same(const data::Tokenizer& tokenizer, const plan::ModelConfig& model,
                  const Wanted& wanted) {
  std::string wrong;
  for (const auto& [token, id] : wanted) {
    const auto found = tokenizer.id_of(token);
    if (found == id) continue;
    wrong += std::string(wrong.empty() ? "" : ", ") + token + " is " +
             (found ? std::to_string(*found) : "missing") + " (the model expects " +
             std::to_string(id) + ")";
  }
  if (!wrong.empty())
    throw ConfigError("tokenizer: special tokens differ from the model's: " + wrong +
                      ". Use the tokenizer that belongs to the model");
  if (tokenizer.vocab_size() > model.vocab)
    throw ConfigError("tokenizer: " + std::to_string(tokenizer.vocab_size()) +
                      " tokens but the model has " + std::to_string(model.vocab) +
                      " embedding rows. Use the tokenizer that belongs to the model");
}

/// Grid of a picture after the resize; the error names the file.
plan::Grid grid_of(const data::CaptionedPicture& entry, data::ImageSize size,
                   const config::DataSection& settings, const plan::ModelConfig& model) {
  try {
    return data::preprocessed_grid(1, size, limits(settings), model.vision);
  } catch (const ValueError& e) {
    throw ValueError(entry.file.string() + ": " + e.what());
  }
}

}  // namespace

void require_same_vision_tokens(const data::Tokenizer& tokenizer, const plan::ModelConfig& model) {
  require_same(tokenizer, model, vision_tokens(model));
}

void require_same_special_tokens(const data::Tokenizer& tokenizer, const plan::ModelConfig& model) {
  Wanted wanted = vision_tokens(model);
  wanted.insert(wanted.begin(), {"<|im_end|>", model.eos_id});
  require_same(tokenizer, model, wanted);
}

void adopt_special_tokens(const data::Tokenizer& tokenizer, plan::ModelConfig& model) {
  const auto adopt = [&tokenizer](const char* token, int& id) {
    if (const auto found = tokenizer.id_of(token)) id = *found;
  };
  adopt("<|im_end|>", model.eos_id);
  for (int* id : {&model.bos_id, &model.pad_id}) adopt("<|endoftext|>", *id);
  adopt("<|vision_start|>", model.vision_start_id);
  adopt("<|vision_end|>", model.vision_end_id);
  adopt("<|image_pad|>", model.image_id);
  adopt("<|video_pad|>", model.video_id);
}

CaptionData::CaptionData(const config::DataSection& settings, const plan::ModelConfig& model,
                         data::Tokenizer tokenizer)
    : settings_(settings),
      model_(model),
      tokenizer_(std::move(tokenizer)),
      entries_(data::read_captions(settings.folder)) {
  require_same_special_tokens(tokenizer_, model);
  for (const data::CaptionedPicture& entry : entries_) {
    pictures_.push_back(data::read_picture(entry));
    sizes_.push_back({pictures_.back().height, pictures_.back().width});
    grids_.push_back(grid_of(entry, sizes_.back(), settings, model));
  }
  count_tokens();
}

CaptionData::CaptionData(const config::DataSection& settings, const plan::ModelConfig& model,
                         data::Tokenizer tokenizer, const std::vector<Picture>& pictures)
    : settings_(settings),
      model_(model),
      tokenizer_(std::move(tokenizer)),
      entries_(data::read_captions(settings.folder)) {
  require_same_special_tokens(tokenizer_, model);
  for (const Picture& picture : pictures) {
    sizes_.push_back(picture.size);
    grids_.push_back(picture.grid);
  }
  if (grids_.size() != entries_.size())
    throw ConfigError(settings.folder + ": " + std::to_string(entries_.size()) +
                      " captions, but the ranks of the first stage have " +
                      std::to_string(grids_.size()) +
                      " pictures (they would train on different batches). Give every rank the same "
                      "captions.json");
  count_tokens();
}

void CaptionData::count_tokens() {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    prompt_tokens_.push_back(static_cast<int>(prompt_ids(grids_[i]).size()));
    std::vector<int> ids = tokenizer_.encode(entries_[i].caption);
    ids.push_back(model_.eos_id);
    caption_ids_.push_back(std::move(ids));
  }
}

std::vector<int> CaptionData::prompt_ids(const plan::Grid& grid) const {
  return data::encode_question(tokenizer_, std::span(&grid, 1), settings_.prompt,
                               model_.vision.merge_size);
}

model::Sequence CaptionData::ask(const plan::Grid& grid, std::vector<float> pixel_values) const {
  model::Sequence sequence;
  sequence.ids = prompt_ids(grid);
  sequence.labels.assign(sequence.ids.size(), model::ignored_label);
  sequence.media.push_back({grid, /*video=*/false, std::move(pixel_values)});
  return sequence;
}

model::Sequence CaptionData::ask(const data::Image& picture) const {
  data::PatchMatrix patches =
      data::preprocess(std::span(&picture, 1), limits(settings_), model_.vision);
  return ask(patches.grid, std::move(patches.values));
}

model::Sequence CaptionData::prompt(int i, bool grey) const {
  expects(!pictures_.empty());
  const data::Image& picture = pictures_[index(i)];
  return ask(grey ? data::constant_image(picture.width, picture.height, 128) : picture);
}

model::Sequence CaptionData::document(int i, bool pixels) const {
  expects(!pixels || !pictures_.empty());
  model::Sequence sequence = pixels ? ask(pictures_[index(i)]) : ask(grids_[index(i)], {});
  const std::vector<int>& caption = caption_ids_[index(i)];
  sequence.ids.insert(sequence.ids.end(), caption.begin(), caption.end());
  sequence.labels.insert(sequence.labels.end(), caption.begin(), caption.end());
  return sequence;
}

std::string CaptionData::summary(int i) const {
  return entry(i).caption + " " + plan::to_string(shape({i}));
}

plan::MicroBatchShape CaptionData::shape(const std::vector<int>& samples) const {
  plan::MicroBatchShape shape;
  for (const int i : samples) {
    const int caption = static_cast<int>(caption_ids_[index(i)].size());
    shape.sequences.push_back(prompt_tokens_[index(i)] + caption);
    shape.media.push_back(grids_[index(i)]);
    shape.supervised += caption;
  }
  return shape;
}

}  // namespace vlmark::recipe
