#include "src/recipe/caption_data.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "src/base/error.hpp"

namespace vlmark::recipe {
namespace {

std::string source(const std::string& path) {
  return std::string(std::getenv("VLMARK_SOURCE_DIR")) + "/" + path;
}

config::DataSection settings() {
  config::DataSection s;
  s.folder = source("configs/media");
  s.tokenizer = source("configs/tokenizer-nano");
  return s;
}

const plan::ModelConfig nano = plan::model_preset("nano");

/// Decoding takes longest: once for all tests.
const CaptionData& eight() {
  static const CaptionData data(settings(), nano);
  return data;
}

TEST(CaptionData, SupervisesTheCaptionAndTheTokenThatEndsIt) {
  const CaptionData& data = eight();
  ASSERT_EQ(data.size(), 8);
  for (int i = 0; i < data.size(); ++i) {
    const model::Sequence document = data.document(i);
    ASSERT_EQ(document.labels.size(), document.ids.size());
    std::vector<int> supervised;
    std::size_t first = document.labels.size();
    for (std::size_t t = 0; t < document.labels.size(); ++t) {
      if (document.labels[t] == model::ignored_label) continue;
      first = std::min(first, t);
      EXPECT_EQ(document.labels[t], document.ids[t]);
      supervised.push_back(document.labels[t]);
    }
    // Nothing after the caption, nothing between.
    EXPECT_EQ(supervised.size(), document.ids.size() - first);
    EXPECT_EQ(data.tokenizer().decode(supervised), data.entry(i).caption + "<|im_end|>");
  }
}

TEST(CaptionData, ThePromptIsTheDocumentWithoutTheCaption) {
  const CaptionData& data = eight();
  for (int i = 0; i < data.size(); ++i) {
    const model::Sequence prompt = data.prompt(i, /*grey=*/false), document = data.document(i);
    ASSERT_LT(prompt.ids.size(), document.ids.size());
    EXPECT_TRUE(std::equal(prompt.ids.begin(), prompt.ids.end(), document.ids.begin()));
    EXPECT_EQ(prompt.media.at(0).pixel_values, document.media.at(0).pixel_values);
    const std::string text = data.tokenizer().decode(prompt.ids);
    EXPECT_THAT(text, testing::StartsWith("<|im_start|>system\n"));
    EXPECT_THAT(text, testing::HasSubstr("<|vision_end|>Describe the picture.<|im_end|>\n"));
    EXPECT_THAT(text, testing::EndsWith("<|im_start|>assistant\n"));
    EXPECT_EQ(std::count(prompt.ids.begin(), prompt.ids.end(), nano.image_id),
              prompt.media.at(0).grid.merged(nano.vision.merge_size));
  }
}

TEST(CaptionData, TheGreyPromptDiffersInPixelsAlone) {
  const CaptionData& data = eight();
  for (int i = 0; i < data.size(); ++i) {
    const model::Sequence real = data.prompt(i, false), grey = data.prompt(i, true);
    EXPECT_EQ(grey.ids, real.ids);
    EXPECT_EQ(grey.media.at(0).grid, real.media.at(0).grid);
    EXPECT_NE(grey.media.at(0).pixel_values, real.media.at(0).pixel_values);
    // One value per channel: a row holds channel after channel.
    const std::vector<float>& pixels = grey.media.at(0).pixel_values;
    const auto row = static_cast<std::size_t>(nano.vision.patch_values()), channel = row / 3;
    for (std::size_t k = 0; k < pixels.size(); ++k)
      ASSERT_EQ(pixels[k], pixels[k % row / channel * channel]) << "picture " << i << " at " << k;
  }
}

TEST(CaptionData, ShapesEqualThoseOfThePackedDocuments) {
  const CaptionData& data = eight();
  const std::vector<std::vector<int>> choices{
      {0}, {7}, {0, 1}, {3, 3, 2}, {7, 6, 5, 4, 3, 2, 1, 0}};
  for (const auto& samples : choices) {
    std::vector<model::Sequence> documents;
    for (const int i : samples) documents.push_back(data.document(i));
    EXPECT_EQ(model::pack(documents, nano).shape, data.shape(samples));
  }
}

std::vector<CaptionData::Picture> pictures_of(const CaptionData& data) {
  std::vector<CaptionData::Picture> pictures;
  for (int i = 0; i < data.size(); ++i) pictures.push_back(data.picture(i));
  return pictures;
}

/// What a later stage has: captions, sizes, grids, and no picture within reach.
TEST(CaptionData, WithoutPicturesGivesTheSameDocumentsWithoutPixels) {
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / "captions-without-pictures";
  std::filesystem::create_directories(folder);
  std::filesystem::copy_file(source("configs/media/captions.json"), folder / "captions.json",
                             std::filesystem::copy_options::overwrite_existing);
  config::DataSection apart = settings();
  apart.folder = folder;
  const auto tokenizer = data::Tokenizer::from_folder(apart.tokenizer);
  EXPECT_THROW(CaptionData(apart, nano, tokenizer), IoError);
  const CaptionData data(apart, nano, tokenizer, pictures_of(eight()));
  ASSERT_EQ(data.size(), eight().size());
  constexpr model::Contents later{.vision = false, .targets = true};
  for (int i = 0; i < data.size(); ++i) {
    const model::Sequence document = data.document(i, /*pixels=*/false), all = eight().document(i);
    EXPECT_EQ(document.ids, all.ids);
    EXPECT_EQ(document.labels, all.labels);
    EXPECT_TRUE(document.media.at(0).pixel_values.empty());
    const model::MicroBatch batch = model::pack(std::vector{document}, nano, later),
                            whole = model::pack(std::vector{all}, nano);
    EXPECT_EQ(batch.shape, whole.shape);
    EXPECT_EQ(batch.shape, data.shape({i}));
    EXPECT_EQ(batch.positions, whole.positions);
    EXPECT_EQ(batch.targets, whole.targets);
    EXPECT_TRUE(batch.pixel_values.empty() && batch.vision_rows.empty() && batch.vit_hw.empty());
  }
  auto fewer = pictures_of(eight());
  fewer.pop_back();
  EXPECT_THAT([&] { CaptionData(apart, nano, tokenizer, fewer); },
              testing::ThrowsMessage<ConfigError>(testing::AllOf(
                  testing::HasSubstr("8 captions"), testing::HasSubstr("have 7 pictures"))));
}

TEST(CaptionData, PixelLimitsDecideTheGrid) {
  config::DataSection small = settings();
  small.min_pixels = small.max_pixels = 3136;
  const CaptionData data(small, nano);
  for (int i = 0; i < data.size(); ++i) {
    EXPECT_LE(data.shape({i}).patches() * 196, 3136);
    EXPECT_EQ(model::pack(std::vector{data.document(i)}, nano).shape, data.shape({i}));
  }
}

std::string tokenizer_text() {
  std::ostringstream text;
  text << std::ifstream(source("configs/tokenizer-nano/tokenizer.json")).rdbuf();
  return text.str();
}

TEST(SpecialTokens, OfAnotherModelAreAllNamedWithBothIds) {
  plan::ModelConfig other = nano;
  other.eos_id = 7;
  other.video_id = 9;
  const auto tokenizer = data::Tokenizer::from_json_text(tokenizer_text());
  EXPECT_NO_THROW(require_same_special_tokens(tokenizer, nano));
  EXPECT_THAT([&] { require_same_special_tokens(tokenizer, other); },
              testing::ThrowsMessage<ConfigError>(
                  testing::AllOf(testing::HasSubstr("<|im_end|> is 514 (the model expects 7)"),
                                 testing::HasSubstr("<|video_pad|> is 525 (the model expects 9)"),
                                 testing::Not(testing::HasSubstr("<|image_pad|>")))));
  EXPECT_THROW(CaptionData(settings(), other), ConfigError);
}

TEST(SpecialTokens, MissingOnesAreNamed) {
  std::string text = tokenizer_text();
  for (std::size_t at; (at = text.find("<|image_pad|>")) != std::string::npos;)
    text.replace(at, 13, "<|other_pad|>");
  const auto tokenizer = data::Tokenizer::from_json_text(text);
  EXPECT_THAT([&] { require_same_special_tokens(tokenizer, nano); },
              testing::ThrowsMessage<ConfigError>(
                  testing::HasSubstr("<|image_pad|> is missing (the model expects 524)")));
}

TEST(SpecialTokens, ATokenizerLargerThanTheEmbeddingIsRefused) {
  const auto tokenizer = data::Tokenizer::from_json_text(tokenizer_text());
  plan::ModelConfig small = nano;
  small.vocab = tokenizer.vocab_size();
  EXPECT_NO_THROW(require_same_special_tokens(tokenizer, small));
  --small.vocab;
  EXPECT_THAT([&] { require_same_special_tokens(tokenizer, small); },
              testing::ThrowsMessage<ConfigError>(testing::HasSubstr("embedding rows")));
}

}  // namespace
}  // namespace vlmark::recipe
