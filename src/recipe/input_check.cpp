#include "src/recipe/input_check.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "src/base/clock.hpp"
#include "src/base/error.hpp"
#include "src/base/philox.hpp"
#include "src/data/media.hpp"
#include "src/data/smart_resize.hpp"
#include "src/data/tokenizer_nfc.hpp"
#include "src/recipe/picture_check.hpp"

namespace vlmark::recipe {
namespace {

constexpr int kAlphabet = 64;  // ids of synthetic text

/// Token that the first supervised row of [begin, end) predicts, where every row from there to the
/// last but one is supervised with the id that follows it, and no other is.
std::optional<int> first_supervised(const model::MicroBatch& batch, int begin, int end) {
  const std::vector<int>& rows = batch.supervised_rows;
  if (rows.size() != batch.targets.size() || !std::is_sorted(rows.begin(), rows.end())) return {};
  const auto from = std::lower_bound(rows.begin(), rows.end(), begin),
             to = std::lower_bound(from, rows.end(), end);
  if (from == to || *from + (to - from) != end - 1) return {};
  for (auto row = from; row != to; ++row)
    if (*row != *from + (row - from) ||
        batch.targets[static_cast<std::size_t>(row - rows.begin())] !=
            batch.ids[static_cast<std::size_t>(*row) + 1])
      return {};
  return *from + 1 - begin;
}

std::size_t times(const std::string& word, const std::string& text) {
  std::size_t count = 0;
  for (std::size_t at = text.find(word); at != text.npos; at = text.find(word, at + word.size()))
    ++count;
  return count;
}

/// Around the first byte that differs.
std::string difference(const std::string& given, const std::string& wanted) {
  const auto at = static_cast<std::size_t>(
      std::mismatch(
          given.begin(),
          given.begin() + static_cast<std::ptrdiff_t>(std::min(given.size(), wanted.size())),
          wanted.begin())
          .first -
      given.begin());
  return "text is '" + given.substr(at, 24) + "' from byte " + std::to_string(at) +
         " on instead of '" + wanted.substr(at, 24) + "'";
}

std::string text_of(const plan::Grid& grid) {
  return std::to_string(grid.t) + " x " + std::to_string(grid.h) + " x " + std::to_string(grid.w);
}

}  // namespace

/// One sample of a micro-batch as the step gets it.
struct InputCheck::Document {
  int sample = 0;
  std::span<const int> ids;
  std::span<const plan::Grid> media;
  std::span<const float> pixels;  // of all its pictures
  model::Contents wanted;
  std::optional<int> supervised;  // first token; none where the rows are no such run
};

InputCheck::InputCheck(const config::DataSection& settings, const plan::ModelConfig& model,
                       std::uint64_t seed, std::optional<data::Tokenizer> tokenizer)
    : settings_(settings),
      model_(model),
      seed_(seed),
      tokenizer_(std::move(tokenizer)),
      groups_(config::picture_groups(settings.pictures).value_or(decltype(groups_){})) {}

const std::vector<config::PictureSize>& InputCheck::group_of(int sample) const {
  return groups_[static_cast<std::size_t>(sample) % groups_.size()];
}

void InputCheck::read_entries() {
  const std::filesystem::path file = std::filesystem::path(settings_.folder) / "captions.json";
  std::ifstream stream(file, std::ios::binary);
  const auto list = nlohmann::json::parse(std::string(std::istreambuf_iterator<char>(stream), {}),
                                          nullptr, /*allow_exceptions=*/false);
  if (!list.is_array())
    throw IoError(file.string() +
                  ": cannot be read again (what a step trains on is compared with it). Leave the "
                  "folder as it is while a run goes on");
  for (const auto& entry : list)
    entries_.push_back(
        {entry.value("file", ""), entry.value("caption", ""), entry.value("rgb_sha256", "")});
}

void InputCheck::check(const std::vector<int>& samples, const model::MicroBatch& batch,
                       model::Contents wanted) {
  const std::int64_t start = monotonic_ns();
  if (tokenizer_ && entries_.empty()) read_entries();
  const auto values = static_cast<std::size_t>(model_.vision.patch_values());
  std::set<int>& seen = seen_[{wanted.vision, wanted.targets}];
  std::size_t medium = 0, value = 0, begin = 0;
  for (std::size_t k = 0; k < samples.size(); ++k) {
    Document document{samples[k], {}, {}, {}, wanted, {}};
    const std::size_t media = tokenizer_ ? 1 : group_of(samples[k]).size();
    const bool whole =
        k < batch.shape.sequences.size() && medium + media <= batch.shape.media.size() &&
        begin + static_cast<std::size_t>(batch.shape.sequences[k]) <= batch.ids.size();
    const std::size_t end =
        whole ? begin + static_cast<std::size_t>(batch.shape.sequences[k]) : begin;
    std::size_t last = value;
    if (whole) {
      document.ids = std::span(batch.ids).subspan(begin, end - begin);
      document.media = std::span(batch.shape.media).subspan(medium, media);
      for (const plan::Grid& grid : document.media)
        last += static_cast<std::size_t>(grid.patches()) * values;
      last = std::min(last, std::max(value, batch.pixel_values.size()));
      if (wanted.vision)
        document.pixels = std::span(batch.pixel_values).subspan(value, last - value);
      if (wanted.targets)
        document.supervised =
            first_supervised(batch, static_cast<int>(begin), static_cast<int>(end));
    }
    if (!seen.contains(samples[k]) && seen.size() < kMostSamples) {
      seen.insert(samples[k]);
      check(document);
    }
    begin = end, medium += media, value = last;
  }
  spent_ns_ += monotonic_ns() - start;
}

void InputCheck::check(const Document& document) {
  ++documents_;
  const std::string wrong = document.ids.empty() ? "it is not in the micro-batch"
                            : tokenizer_         ? wrong_caption(document)
                                                 : wrong_synthetic(document);
  if (!wrong.empty() && ++wrong_ == 1)
    first_wrong_ = "sample " + std::to_string(document.sample) + ": " + wrong;
  if (document.wanted.vision) check_pictures(document);
}

std::string InputCheck::wrong_caption(const Document& document) const {
  const auto sample = static_cast<std::size_t>(document.sample);
  if (sample >= entries_.size()) return "captions.json has " + std::to_string(entries_.size());
  const int merge = model_.vision.merge_size;
  const plan::Grid& grid = document.media[0];
  std::string pads;
  for (int i = grid.t * (grid.h / merge) * (grid.w / merge); i > 0; --i) pads += "<|image_pad|>";
  const auto answer_to = [&](const std::string& caption) { return caption + "<|im_end|>"; };
  const auto layout = [&](const std::string& prompt, const std::string& answer) {
    return "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n"
           "<|vision_start|>" +
           pads + "<|vision_end|>" + prompt + "<|im_end|>\n<|im_start|>assistant\n" + answer;
  };
  std::string answer = answer_to(entries_[sample].caption), text = layout(settings_.prompt, answer);
  const std::string given = tokenizer_->decode(document.ids);
  if (given != text) {  // most tokenizers bring texts to normal form C
    answer = answer_to(data::nfc(entries_[sample].caption));
    text = layout(data::nfc(settings_.prompt), answer);
  }
  if (given != text) return difference(given, text);
  // Special tokens could be spelled by ordinary ones.
  for (const char* word :
       {"<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>"}) {
    const auto ids =
        std::count(document.ids.begin(), document.ids.end(), tokenizer_->require_id(word));
    if (static_cast<std::size_t>(ids) != times(word, text))
      return std::to_string(ids) + " tokens are " + word + " instead of " +
             std::to_string(times(word, text));
  }
  if (!document.wanted.targets) return "";
  if (!document.supervised) return "other rows than the caption's, or other targets";
  const std::string learned =
      tokenizer_->decode(document.ids.subspan(static_cast<std::size_t>(*document.supervised)));
  return learned == answer ? "" : "supervised " + difference(learned, answer);
}

std::string InputCheck::wrong_synthetic(const Document& document) const {
  std::vector<int> start;
  for (const plan::Grid& grid : document.media) {
    start.push_back(model_.vision_start_id);
    start.insert(start.end(), static_cast<std::size_t>(grid.patches() / model_.vision.merge_unit()),
                 model_.image_id);
    start.push_back(model_.vision_end_id);
  }
  const std::size_t text =
      static_cast<std::size_t>(settings_.text_tokens) - 2 * document.media.size();
  if (document.ids.size() != start.size() + text ||
      !std::equal(start.begin(), start.end(), document.ids.begin()))
    return "its pictures and " + std::to_string(text) + " tokens of text are not there";
  const std::set<int> letters(document.ids.begin() + static_cast<std::ptrdiff_t>(start.size()),
                              document.ids.end());
  for (const int id : {model_.bos_id, model_.eos_id, model_.pad_id, model_.vision_start_id,
                       model_.vision_end_id, model_.image_id, model_.video_id})
    if (letters.contains(id)) return "its text holds special token " + std::to_string(id);
  // Three of four tokens are the next letter: far more than four come up in 64 tokens.
  if (text == 0) return "";
  if (letters.size() > kAlphabet || letters.size() <= std::min<std::size_t>(text, 64) / 16)
    return "its text is made of " + std::to_string(letters.size()) + " ids";
  if (!document.wanted.targets) return "";
  const std::size_t first = std::max<std::size_t>(start.size(), 1);  // what follows something
  if (first == document.ids.size() || document.supervised == static_cast<int>(first)) return "";
  return "other rows than the text's, or other targets";
}

data::Image InputCheck::picture(int sample, std::size_t number) const {
  if (tokenizer_) {
    const Entry& entry = entries_[static_cast<std::size_t>(sample)];
    return data::read_picture(
        {std::filesystem::path(settings_.folder) / entry.file, entry.caption, entry.rgb_sha256});
  }
  const config::PictureSize size = group_of(sample)[number];
  const auto shade =
      Philox(seed_, "synthetic picture " + std::to_string(sample) + " " + std::to_string(number))
          .block(0);
  data::Image image{size.width, size.height, {}};
  for (unsigned y = 0; y < static_cast<unsigned>(size.height); ++y)
    for (unsigned x = 0; x < static_cast<unsigned>(size.width); ++x)
      for (std::size_t c = 0; c < 3; ++c) {
        const unsigned begin = shade[c] % 256, right = shade[c] / 256 % 256,
                       down = shade[c] / 65536 % 256;
        image.rgb.push_back(
            static_cast<std::uint8_t>((begin + x * right / 128 + y * down / 128) % 256));
      }
  return image;
}

void InputCheck::check_pictures(const Document& document) {
  data::PixelLimits limits;
  if (tokenizer_)
    limits = {static_cast<double>(settings_.min_pixels), static_cast<double>(settings_.max_pixels)};
  std::size_t value = 0;
  for (std::size_t k = 0; k < document.media.size(); ++k) {
    if (pixels_ >= kMostPixels) return;
    const plan::Grid& grid = document.media[k];
    const data::Image image = picture(document.sample, k);
    const plan::Grid wanted =
        described_grid({image.height, image.width}, limits.min, limits.max, model_.vision);
    const std::size_t length = std::min(static_cast<std::size_t>(grid.patches()) *
                                            static_cast<std::size_t>(model_.vision.patch_values()),
                                        document.pixels.size() - value);
    const double level = grid == wanted ? worst_level(image, grid, model_.vision,
                                                      document.pixels.subspan(value, length))
                                        : 255;
    value += length;
    pixels_ += static_cast<std::int64_t>(image.width) * image.height;
    ++pictures_;
    if (std::isnan(worst_level_) || level <= worst_level_) continue;
    worst_level_ = level;
    worst_picture_ = "sample " + std::to_string(document.sample);
    if (grid != wanted)
      worst_picture_ += ", patches " + text_of(grid) + " instead of " + text_of(wanted);
  }
}

std::vector<InputCheck::Finding> InputCheck::findings() const {
  std::vector<Finding> found;
  if (documents_ > 0)
    found.push_back(
        {tokenizer_ ? "documents that are not what captions.json says"
                    : "documents that are not what the description says",
         static_cast<double>(wrong_), 0,
         (first_wrong_.empty() ? "" : first_wrong_ + "; ") + "of " + std::to_string(documents_)});
  if (pictures_ > 0)
    found.push_back({"pixels against the pictures, levels of 1/255", worst_level_, kMostLevels,
                     worst_picture_ + ", worst of " + std::to_string(pictures_) + " pictures"});
  return found;
}

}  // namespace vlmark::recipe
