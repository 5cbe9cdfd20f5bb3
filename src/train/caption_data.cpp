#include "src/train/caption_data.hpp"

#include "src/base/error.hpp"
#include "src/data/chat.hpp"
#include "src/data/patches.hpp"

namespace vlmark::train {
namespace {

using data::ContentPart;

data::PixelLimits limits(const config::DataSection& settings) {
  return {static_cast<double>(settings.min_pixels), static_cast<double>(settings.max_pixels)};
}

}  // namespace

void require_same_special_tokens(const data::Tokenizer& tokenizer, const plan::ModelConfig& model) {
  const std::pair<const char*, int> wanted[] = {{"<|im_end|>", model.eos_id},
                                                {"<|vision_start|>", model.vision_start_id},
                                                {"<|vision_end|>", model.vision_end_id},
                                                {"<|image_pad|>", model.image_id},
                                                {"<|video_pad|>", model.video_id}};
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

CaptionData::CaptionData(const config::DataSection& settings, const plan::ModelConfig& model)
    : settings_(settings),
      model_(model),
      tokenizer_(data::Tokenizer::from_folder(settings.tokenizer)),
      entries_(data::read_captions(settings.folder)) {
  require_same_special_tokens(tokenizer_, model);
  for (const data::CaptionedPicture& entry : entries_) {
    pictures_.push_back(data::read_picture(entry));
    std::vector<int> ids = tokenizer_.encode(entry.caption);
    ids.push_back(model.eos_id);
    caption_ids_.push_back(std::move(ids));
  }
}

std::vector<int> CaptionData::prompt_ids(const plan::Grid& grid) const {
  const data::ChatMessage user{
      "user", {{ContentPart::Kind::image}, {ContentPart::Kind::text, settings_.prompt}}};
  const std::string text = data::render_chat(std::span(&user, 1), /*add_generation_prompt=*/true);
  return tokenizer_.encode(
      data::expand_vision_pads(text, std::span(&grid, 1), model_.vision.merge_size));
}

model::Sequence CaptionData::prompt(int i, bool grey) const {
  const data::Image& original = pictures_[index(i)];
  const data::Image picture =
      grey ? data::constant_image(original.width, original.height, 128) : original;
  data::PatchMatrix patches =
      data::preprocess(std::span(&picture, 1), limits(settings_), model_.vision);
  model::Sequence sequence;
  sequence.ids = prompt_ids(patches.grid);
  sequence.labels.assign(sequence.ids.size(), model::ignored_label);
  sequence.media.push_back({patches.grid, /*video=*/false, std::move(patches.values)});
  return sequence;
}

model::Sequence CaptionData::document(int i) const {
  model::Sequence sequence = prompt(i, /*grey=*/false);
  const std::vector<int>& caption = caption_ids_[index(i)];
  sequence.ids.insert(sequence.ids.end(), caption.begin(), caption.end());
  sequence.labels.insert(sequence.labels.end(), caption.begin(), caption.end());
  return sequence;
}

plan::MicroBatchShape CaptionData::shape(const std::vector<int>& samples) const {
  plan::MicroBatchShape shape;
  for (const int i : samples) {
    const data::Image& picture = pictures_[index(i)];
    const plan::Grid grid = data::preprocessed_grid(1, {picture.height, picture.width},
                                                    limits(settings_), model_.vision);
    const int caption = static_cast<int>(caption_ids_[index(i)].size());
    shape.sequences.push_back(static_cast<int>(prompt_ids(grid).size()) + caption);
    shape.media.push_back(grid);
    shape.supervised += caption;
  }
  return shape;
}

}  // namespace vlmark::train
