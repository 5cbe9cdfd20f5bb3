#include "src/recipe/synthetic_data.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "src/base/error.hpp"
#include "src/recipe/manifest.hpp"
#include "src/recipe/work.hpp"

namespace vlmark::recipe {
namespace {

const plan::ModelConfig nano = plan::model_preset("nano");

config::DataSection settings(const std::string& pictures, int text_tokens = 40, int samples = 6) {
  config::DataSection s;
  s.kind = config::DataKind::synthetic;
  s.pictures = pictures;
  s.text_tokens = text_tokens;
  s.samples = samples;
  return s;
}

TEST(SyntheticData, ShapesEqualThoseOfThePackedDocuments) {
  const SyntheticData data(settings("56x56, 112x84+84x56, none"), nano, 3);
  ASSERT_EQ(data.size(), 6);
  const std::vector<std::vector<int>> choices{{0}, {1}, {2}, {0, 1, 2, 3, 4, 5}, {2, 2}, {4, 0}};
  for (const auto& samples : choices) {
    std::vector<model::Sequence> documents;
    for (const int i : samples) documents.push_back(data.document(i, true));
    EXPECT_EQ(model::pack(documents, nano).shape, data.shape(samples));
  }
}

TEST(SyntheticData, TextTokensAreWhatTheDescriptionAsksFor) {
  const SyntheticData data(settings("56x56, 112x84+84x56, none"), nano, 3);
  const long vision[] = {4, 12 + 6, 0};
  for (int i = 0; i < 6; ++i) {
    const plan::MicroBatchShape shape = data.shape({i});
    EXPECT_EQ(shape.tokens(), 40 + vision[i % 3]);
    const std::vector shapes{shape};
    EXPECT_EQ(work_of(shapes, nano.vision.merge_unit())[io::TokenKind::text], 40);
  }
  EXPECT_EQ(data.shape({0}).supervised, 38);
  EXPECT_EQ(data.shape({1}).supervised, 36);
  EXPECT_EQ(data.shape({2}).supervised, 39);  // the first of all follows nothing
}

TEST(SyntheticData, OneSeedGivesOneDataSet) {
  const auto all = [](std::uint64_t seed) {
    const SyntheticData data(settings("84x84"), nano, seed);
    std::vector<model::Sequence> documents;
    for (int i = 0; i < data.size(); ++i) documents.push_back(data.document(i, true));
    return documents;
  };
  const auto first = all(1), again = all(1), other = all(2);
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(first[i].ids, again[i].ids);
    EXPECT_EQ(first[i].media[0].pixel_values, again[i].media[0].pixel_values);
    EXPECT_NE(first[i].ids, other[i].ids);
    EXPECT_NE(first[i].media[0].pixel_values, other[i].media[0].pixel_values);
    for (std::size_t k = 0; k < i; ++k) {
      EXPECT_NE(first[i].ids, first[k].ids);
      EXPECT_NE(first[i].media[0].pixel_values, first[k].media[0].pixel_values);
    }
  }
}

TEST(SyntheticData, WithoutPixelsIsTheSameTextAndGrids) {
  const SyntheticData data(settings("84x84+56x56"), nano, 1);
  const model::Sequence whole = data.document(1, true), later = data.document(1, false);
  EXPECT_EQ(later.ids, whole.ids);
  EXPECT_EQ(later.labels, whole.labels);
  ASSERT_EQ(later.media.size(), 2u);
  EXPECT_TRUE(later.media[0].pixel_values.empty());
  EXPECT_EQ(later.media[1].grid, whole.media[1].grid);
}

/// What a model can learn: three of four tokens follow from the one before.
TEST(SyntheticData, TextIsLearnableAndHoldsNoSpecialToken) {
  for (const char* preset : {"nano", "2B", "7B"}) {
    const plan::ModelConfig model = plan::model_preset(preset);
    const SyntheticData data(settings("", 4000, 1), model, 7);
    const model::Sequence text = data.document(0, true);
    std::map<int, std::map<int, int>> follows;
    for (std::size_t t = 1; t < text.ids.size(); ++t) ++follows[text.ids[t - 1]][text.ids[t]];
    EXPECT_EQ(follows.size(), 64u) << preset;
    int most = 0;
    for (const auto& [id, next] : follows) {
      for (const int special : {model.bos_id, model.eos_id, model.pad_id, model.vision_start_id,
                                model.vision_end_id, model.image_id, model.video_id})
        EXPECT_NE(id, special) << preset;
      most += std::max_element(next.begin(), next.end(), [](const auto& a, const auto& b) {
                return a.second < b.second;
              })->second;
    }
    // 3/4 + 1/4 / 64 of 3,999; its deviation is 27.
    EXPECT_NEAR(most, 3015, 5 * 27) << preset;
    EXPECT_GT(follows.rbegin()->first, model.vocab / 2) << "ids of the whole vocabulary";
  }
}

TEST(SyntheticData, AVocabularyThatIsTooSmallIsRefused) {
  plan::ModelConfig small = nano;
  small.vocab = 66;
  small.bos_id = small.pad_id = 1;
  EXPECT_NO_THROW(SyntheticData(settings(""), small, 1));
  small.vocab = 64;
  EXPECT_THAT([&] { SyntheticData(settings(""), small, 1); },
              testing::ThrowsMessage<ConfigError>(testing::HasSubstr("Use a larger vocabulary")));
}

TEST(SyntheticData, IsPartOfTheManifestAndCaptionsAreNot) {
  config::RunConfig config;
  config.data = settings("56x56, none");
  const SyntheticData data(config.data, nano, 1);
  const Manifest manifest = manifest_of(config, nano, data);
  EXPECT_EQ(manifest.samples.size(), 6u);
  EXPECT_EQ(manifest.samples[1].tokens, 40);
  const std::string json = to_json(manifest);
  EXPECT_THAT(json, testing::HasSubstr("\"data\":\"synthetic\""));
  EXPECT_EQ(to_json(parse_manifest(json, "test")), json);
  // Records of captions have no such key, and keep their hash.
  config.data.kind = config::DataKind::captions;
  EXPECT_THAT(to_json(manifest_of(config, nano, data)),
              testing::Not(testing::HasSubstr("\"data\"")));
}

}  // namespace
}  // namespace vlmark::recipe
