#include "src/data/byte_tokenizer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/base/error.hpp"
#include "src/data/tokenizer.hpp"

namespace vlmark::test {
namespace {

TEST(ByteTokenizer, FitsEveryPreset) {
  for (const char* name : {"nano", "2B"}) {  // 7B and 72B have the ids of 2B
    const plan::ModelConfig model = plan::model_preset(name);
    const auto tokenizer = data::Tokenizer::from_json_text(data::byte_tokenizer_json(model));
    EXPECT_EQ(tokenizer.vocab_size(), model.pad_id + 14) << name;
    EXPECT_LE(tokenizer.vocab_size(), model.vocab) << name;
    EXPECT_EQ(tokenizer.require_id("<|endoftext|>"), model.pad_id) << name;
    EXPECT_EQ(tokenizer.require_id("<|im_end|>"), model.eos_id) << name;
    EXPECT_EQ(tokenizer.require_id("<|vision_start|>"), model.vision_start_id) << name;
    EXPECT_EQ(tokenizer.require_id("<|vision_end|>"), model.vision_end_id) << name;
    EXPECT_EQ(tokenizer.require_id("<|image_pad|>"), model.image_id) << name;
    EXPECT_EQ(tokenizer.require_id("<|video_pad|>"), model.video_id) << name;
  }
}

TEST(ByteTokenizer, GivesOneTokenForEachByte) {
  const auto tokenizer =
      data::Tokenizer::from_json_text(data::byte_tokenizer_json(plan::model_preset("nano")));
  const std::string text = "Wie heißt die Katze?\n猫 <|unused_300|> \xf0\x9f\x90\x88";
  const std::vector<int> ids = tokenizer.encode(text);
  ASSERT_EQ(ids.size(), text.size());
  for (std::size_t i = 0; i < ids.size(); ++i)
    EXPECT_EQ(ids[i], static_cast<unsigned char>(text[i])) << i;
  EXPECT_EQ(tokenizer.decode(ids), text);
  EXPECT_EQ(tokenizer.encode("a<|image_pad|>b"), (std::vector<int>{'a', 524, 'b'}));
}

TEST(ByteTokenizer, RefusesIdsThatDoNotFollowOneAnother) {
  plan::ModelConfig model = plan::model_preset("2B");
  model.image_id = 151654;
  EXPECT_THAT([&] { data::byte_tokenizer_json(model); },
              testing::ThrowsMessage<ConfigError>(testing::HasSubstr(
                  "image_token_id: 151654 (expected 151655, as the special tokens follow 151643")));
  model = plan::model_preset("nano");
  for (int* id : {&model.pad_id, &model.eos_id, &model.vision_start_id, &model.vision_end_id,
                  &model.image_id, &model.video_id})
    *id -= 500;
  EXPECT_THAT(
      [&] { data::byte_tokenizer_json(model); },
      testing::ThrowsMessage<ConfigError>(testing::HasSubstr("pad_token_id: 12 leaves no room")));
}

}  // namespace
}  // namespace vlmark::test
