#include "src/recipe/synthetic_data.hpp"

#include <algorithm>
#include <utility>

#include "src/base/contracts.hpp"
#include "src/base/error.hpp"
#include "src/base/philox.hpp"
#include "src/data/image.hpp"
#include "src/data/patches.hpp"

namespace vlmark::recipe {
namespace {

constexpr int kAlphabet = 64;

/// Ids at equal distances over the vocabulary, none of them special, in a random order.
std::vector<int> alphabet_of(const plan::ModelConfig& model, std::uint64_t seed) {
  const int special[] = {model.bos_id,        model.eos_id,   model.pad_id,  model.vision_start_id,
                         model.vision_end_id, model.image_id, model.video_id};
  std::vector<int> ids;
  for (int k = 0, next = 0; k < kAlphabet; ++k, ++next) {
    next = std::max(next, static_cast<int>(std::int64_t{k} * model.vocab / kAlphabet));
    while (std::find(std::begin(special), std::end(special), next) != std::end(special)) ++next;
    if (next >= model.vocab)
      throw ConfigError("data.kind: synthetic text takes " + std::to_string(kAlphabet) +
                        " ids, but a vocabulary of " + std::to_string(model.vocab) +
                        " has fewer beside the special ones. Use a larger vocabulary");
    ids.push_back(next);
  }
  const Philox random(seed, "synthetic alphabet");
  for (std::size_t i = ids.size(); i-- > 1;) std::swap(ids[i], ids[random.below(i, i + 1)]);
  return ids;
}

}  // namespace

SyntheticData::SyntheticData(const config::DataSection& settings, const plan::ModelConfig& model,
                             std::uint64_t seed)
    : settings_(settings), model_(model), seed_(seed), alphabet_(alphabet_of(model, seed)) {
  const auto groups = config::picture_groups(settings.pictures);
  expects(groups.has_value());
  for (const auto& group : *groups) {
    groups_.emplace_back();
    for (const config::PictureSize& size : group)
      groups_.back().push_back(
          {size, data::preprocessed_grid(1, {size.height, size.width}, {}, model.vision)});
  }
}

std::vector<float> SyntheticData::pixels(int i, int k) const {
  const config::PictureSize size = pictures(i)[static_cast<std::size_t>(k)].size;
  data::Image image = data::constant_image(size.width, size.height, 0);
  const Philox random(seed_, "synthetic picture " + std::to_string(i) + " " + std::to_string(k));
  const auto shade = random.block(0);  // start, rise to the right and down of each channel
  auto at = image.rgb.begin();
  for (int y = 0; y < size.height; ++y)
    for (int x = 0; x < size.width; ++x)
      for (int c = 0; c < 3; ++c) {
        const std::uint32_t of = shade[static_cast<std::size_t>(c)];
        const auto ux = static_cast<std::uint32_t>(x), uy = static_cast<std::uint32_t>(y);
        *at++ = static_cast<std::uint8_t>((of & 255) + ux * (of >> 8 & 255) / 128 +
                                          uy * (of >> 16 & 255) / 128);
      }
  return data::preprocess(std::span(&image, 1), {}, model_.vision).values;
}

model::Sequence SyntheticData::document(int i, bool with_pixels) const {
  model::Sequence sequence;
  const auto& own = pictures(i);
  for (std::size_t k = 0; k < own.size(); ++k) {
    const plan::Grid& grid = own[k].grid;
    const auto pads = static_cast<std::size_t>(grid.merged(model_.vision.merge_size));
    sequence.ids.push_back(model_.vision_start_id);
    sequence.ids.insert(sequence.ids.end(), pads, model_.image_id);
    sequence.ids.push_back(model_.vision_end_id);
    sequence.media.push_back({grid, /*video=*/false,
                              with_pixels ? pixels(i, static_cast<int>(k)) : std::vector<float>{}});
  }
  sequence.labels.assign(sequence.ids.size(), model::ignored_label);
  const Philox random(seed_, "synthetic text " + std::to_string(i));
  const int text = settings_.text_tokens - 2 * static_cast<int>(own.size());
  std::size_t letter = 0;
  for (int t = 0; t < text; ++t) {
    const auto number = random.block(static_cast<std::uint64_t>(t));
    const bool follows = t > 0 && number[0] % 4 != 0;
    letter = follows ? (letter + 1) % kAlphabet : number[1] % kAlphabet;
    sequence.ids.push_back(alphabet_[letter]);
    sequence.labels.push_back(alphabet_[letter]);
  }
  return sequence;
}

plan::MicroBatchShape SyntheticData::shape(const std::vector<int>& samples) const {
  plan::MicroBatchShape shape;
  for (const int i : samples) {
    int tokens = settings_.text_tokens, after = -1;  // the first token of all follows nothing
    for (const Picture& picture : pictures(i)) {
      tokens += picture.grid.merged(model_.vision.merge_size);
      shape.media.push_back(picture.grid);
      after = 0;
    }
    shape.sequences.push_back(tokens);
    shape.supervised += settings_.text_tokens - 2 * static_cast<int>(pictures(i).size()) + after;
  }
  return shape;
}

std::vector<data::ImageSize> SyntheticData::picture_sizes(int i) const {
  std::vector<data::ImageSize> sizes;
  for (const Picture& picture : pictures(i))
    sizes.push_back({picture.size.height, picture.size.width});
  return sizes;
}

std::string SyntheticData::summary(int i) const { return plan::to_string(shape({i})); }

}  // namespace vlmark::recipe
