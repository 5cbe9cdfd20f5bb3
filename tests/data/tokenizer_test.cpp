#include "src/data/tokenizer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "src/base/error.hpp"
#include "tests/data/tokenizer_json.hpp"

namespace vlmark::test {
namespace {

using data::Tokenizer;
using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

json byte_tokenizer(const std::vector<std::pair<std::string, std::string>>& merges = {}) {
  return json::parse(byte_tokenizer_text(merges));
}

json added_token(const std::string& content, int id) {
  return json::parse(added_token_text(content, id));
}

Tokenizer load(const json& file) { return Tokenizer::from_json_text(file.dump()); }

/// Byte tokens 0-255 and `<|im_end|>` 256, then the tokens a case adds.
json with_added(std::initializer_list<json> tokens) {
  json file = byte_tokenizer();
  for (const json& token : tokens) file["added_tokens"].push_back(token);
  return file;
}

json flagged(const char* content, int id, std::initializer_list<const char*> flags) {
  json token = added_token(content, id);
  for (const char* flag : flags) token[flag] = true;
  return token;
}

TEST(Tokenizer, MergesByRankAndThenFromTheLeft) {
  const auto tokenizer = load(byte_tokenizer({{"b", "c"}, {"a", "b"}, {"a", "bc"}, {"a", "a"}}));
  const int bc = 256, ab = 257, abc = 258, aa = 259;
  EXPECT_THAT(tokenizer.encode("ab"), ElementsAre(ab));
  EXPECT_THAT(tokenizer.encode("abc"), ElementsAre(abc));  // b c before a b
  EXPECT_THAT(tokenizer.encode("abbc"), ElementsAre(ab, bc));
  EXPECT_THAT(tokenizer.encode("aaa"), ElementsAre(aa, 'a'));
  EXPECT_THAT(tokenizer.encode("aab"), ElementsAre('a', ab));  // rank 1 before rank 3
  EXPECT_THAT(tokenizer.encode(""), ElementsAre());
}

TEST(Tokenizer, AcceptsMergesAsStrings) {
  json file = byte_tokenizer({{"a", "b"}, {"\u0120", "ab"}});
  const auto pairs = load(file);
  file["model"]["merges"] = {"a b", "\u0120 ab"};
  const auto strings = load(file);
  EXPECT_THAT(pairs.encode("ab ab"), ElementsAre(256, 257));
  EXPECT_EQ(strings.encode("ab ab"), pairs.encode("ab ab"));
}

TEST(Tokenizer, IgnoreMergesTakesAWholePieceThatIsAToken) {
  json file = byte_tokenizer({{"b", "c"}});
  file["model"]["vocab"]["abc"] = 257;  // no merges lead to it
  file["added_tokens"][0]["id"] = 258;
  EXPECT_THAT(load(file).encode("abc abc"), ElementsAre('a', 256, ' ', 'a', 256));
  file["model"]["ignore_merges"] = true;
  EXPECT_THAT(load(file).encode("abc abc"), ElementsAre(257, ' ', 'a', 256));
}

TEST(Tokenizer, TakesTheLeftmostAndThenTheLongestAddedToken) {
  const auto tokenizer = load(
      with_added({added_token("<a", 257), added_token("<ab>", 258), added_token("ab>c", 259)}));
  EXPECT_THAT(tokenizer.encode("<ab>c"), ElementsAre(258, 'c'));
  EXPECT_THAT(tokenizer.encode("<ab<ab>"), ElementsAre(257, 'b', 258));
  EXPECT_THAT(tokenizer.encode("ab>c<|im_end|>"), ElementsAre(259, 256));
  EXPECT_THAT(tokenizer.encode("<|im_end|"),
              ElementsAre('<', '|', 'i', 'm', '_', 'e', 'n', 'd', '|'));
}

TEST(Tokenizer, AddedTokensKeepCompositionApart) {
  const auto tokenizer = load(byte_tokenizer());
  // U+0338 would turn '>' into U+226F and 'e' U+0301 into U+00E9; the token stands between.
  EXPECT_THAT(tokenizer.encode("<|im_end|>\u0338"), ElementsAre(256, 0xcc, 0xb8));
  EXPECT_THAT(tokenizer.encode("e<|im_end|>\u0301"), ElementsAre('e', 256, 0xcc, 0x81));
  EXPECT_THAT(tokenizer.encode("e\u0301"), ElementsAre(0xc3, 0xa9));
}

TEST(Tokenizer, AddedTokensMaySwallowWhiteSpaceOrWaitForNfc) {
  const auto tokenizer =
      load(with_added({flagged("<L>", 257, {"lstrip"}), flagged("<R>", 258, {"rstrip"}),
                       flagged("\u00e9!", 259, {"normalized"})}));
  EXPECT_THAT(tokenizer.encode("a \u3000<L> b"), ElementsAre('a', 257, ' ', 'b'));
  EXPECT_THAT(tokenizer.encode("a <R> \u3000\nb"), ElementsAre('a', ' ', 258, 'b'));
  EXPECT_THAT(tokenizer.encode("<R> <L>"), ElementsAre(258, 257));
  EXPECT_THAT(tokenizer.encode(" <L><R> "), ElementsAre(257, 258));
  EXPECT_THAT(tokenizer.encode("e\u0301!"), ElementsAre(259));
}

TEST(Tokenizer, ASingleWordIsRefusedBesideWordCharacters) {
  const auto tokenizer =
      load(with_added({flagged("<w>", 257, {"single_word"}), added_token("<w", 258)}));
  for (const std::string alone : {"", " ", "-", "\n", "\u00b2", "\u4e00\u3002", "\U0001f600"}) {
    EXPECT_EQ(tokenizer.encode(alone + "<w>").back(), 257) << alone;
    EXPECT_THAT(tokenizer.encode("<w>" + std::string(alone.ends_with("\u3002") ? "\u3002" : alone)),
                testing::Contains(257))
        << alone;
  }
  // Letter, digit, underscore, mark, joiner, circled letter, letter number, letter of Unicode 16.
  for (const std::string word : {"a", "7", "_", "\u0301", "\u200d", "\u24b6", "\u2160", "\u1c89"}) {
    // What is refused is not looked at again: "<w" does not show either.
    for (const std::string& text : {word + "<w>", "<w>" + word}) {
      EXPECT_THAT(tokenizer.encode(text), testing::Not(testing::Contains(testing::Ge(257))))
          << text;
    }
  }
}

TEST(Tokenizer, AnAddedTokenMayBeginInSwallowedWhiteSpace) {
  const auto tokenizer = load(
      with_added({flagged("<R>", 257, {"rstrip"}), added_token(" x", 258),
                  flagged(" ", 259, {"rstrip"}), flagged("\u3000", 260, {"lstrip", "rstrip"})}));
  EXPECT_THAT(tokenizer.encode("<R> xy"), ElementsAre(257, 258, 'y'));
  EXPECT_THAT(tokenizer.encode("<R>  y"), ElementsAre(257, 259, 259, 'y'));
  // What is swallowed whole leaves nothing to a token that looks to its left.
  EXPECT_THAT(tokenizer.encode("a\u3000 \u3000\u3000b"), ElementsAre('a', 260, 259, 'b'));
  EXPECT_EQ(tokenizer.encode(std::string(300000, ' ')).size(), 300000u);
}

TEST(Tokenizer, WithoutNormalizerTextStaysAsItIs) {
  json file = byte_tokenizer();
  file["normalizer"] = nullptr;
  EXPECT_THAT(load(file).encode("e\u0301"), ElementsAre('e', 0xcc, 0x81));
}

TEST(Tokenizer, SplitsByThePatternOfTheFile) {
  json file = byte_tokenizer({{"1", "2"}});
  EXPECT_THAT(load(file).encode("12"), ElementsAre('1', '2'));
  file["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = "\\p{N}{1,3}";
  EXPECT_THAT(load(file).encode("a12.3"), ElementsAre('a', 256, '.', '3'));
}

TEST(Tokenizer, DecodesSpecialsOnRequestAndReplacesBrokenCharacters) {
  const auto tokenizer = load(with_added({added_token("<x>", 257)}));
  const std::vector<int> ids = {256, 'h', 'i', 0xe2, 0x82, 257, 0xac};
  EXPECT_EQ(tokenizer.decode(ids), "<|im_end|>hi\ufffd<x>\ufffd");
  EXPECT_EQ(tokenizer.decode(ids, true), "hi\u20ac");
  EXPECT_EQ(tokenizer.decode({}), "");
}

TEST(Tokenizer, KnowsItsTokens) {
  json ordinary = added_token("<tool>", 257);
  ordinary["special"] = false;
  const auto tokenizer = load(with_added({ordinary}));
  EXPECT_EQ(tokenizer.vocab_size(), 258);
  EXPECT_EQ(tokenizer.id_of("<|im_end|>"), 256);
  EXPECT_EQ(tokenizer.id_of("\u0120"), 32);
  EXPECT_EQ(tokenizer.id_of(" "), std::nullopt);
  EXPECT_EQ(tokenizer.token(32), "\u0120");
  EXPECT_THAT(tokenizer.special_ids(), ElementsAre(256));
  EXPECT_TRUE(tokenizer.is_special(256));
  for (const int id : {257, 0, -1, 258}) EXPECT_FALSE(tokenizer.is_special(id)) << id;
  EXPECT_EQ(tokenizer.require_id("<tool>"), 257);
  EXPECT_THAT([&] { tokenizer.require_id("<|image_pad|>"); },
              ThrowsMessage<ConfigError>(AllOf(HasSubstr("<|image_pad|>"), HasSubstr("258"))));
}

TEST(Tokenizer, RefusesIdsOutsideTheVocabulary) {
  const auto tokenizer = load(byte_tokenizer());
  for (const int id : {-1, 257, 1 << 30})
    EXPECT_THAT(
        [&] {
          tokenizer.decode(std::vector{0, id});
        },
        ThrowsMessage<ValueError>(
            AllOf(HasSubstr("id " + std::to_string(id)), HasSubstr("257 tokens"))));
}

TEST(Tokenizer, NamesTheByteThatIsNotUtf8) {
  const auto tokenizer = load(byte_tokenizer());
  const std::pair<std::string, int> texts[] = {{"\x80", 0},
                                               {"a\xff", 1},
                                               {"\u00e9\xc3", 2},
                                               {"abc\xed\xa0\x80", 3},
                                               {"\xc0\xaf", 0},
                                               {"\xe0\x80\x80", 0},
                                               {"12345678\xf0\x8f\xbf\xbf", 8},
                                               {"\xf4\x90\x80\x80", 0},
                                               {"1234567\xf5", 7},
                                               {"<|im_end|>\xe2\x82", 10}};
  for (const auto& [text, offset] : texts)
    EXPECT_THAT([&] { tokenizer.encode(text); },
                ThrowsMessage<ValueError>(HasSubstr("byte " + std::to_string(offset) + " of " +
                                                    std::to_string(text.size()))));
}

/// Doubling merges: "a" * n must become its greedy powers of two, here at most 64.
TEST(Tokenizer, LongPiecesTakeTheSameMerges) {
  std::vector<std::pair<std::string, std::string>> merges;
  for (int length = 1; length < 64; length *= 2)
    merges.emplace_back(std::string(length, 'a'), std::string(length, 'a'));
  const auto tokenizer = load(byte_tokenizer(merges));
  for (const int length : {63, 64, 65, 127, 1000, 300000}) {
    std::vector<int> expected(length / 64, 256 + 5);
    for (int bit = 5; bit >= 0; --bit)
      if (length % 64 >> bit & 1) expected.push_back(bit == 0 ? 'a' : 255 + bit);
    EXPECT_EQ(tokenizer.encode(std::string(length, 'a')), expected) << length;
  }
}

TEST(Tokenizer, LongRunsOfEveryKindComeThrough) {
  const auto tokenizer = load(byte_tokenizer());
  for (const std::string unit : {" ", "\n", "\r\n", "1", "!", "\u4e2d", "\u0301", "\u3000", "'s",
                                 "<|im_end|>", "<|im_end|", "e\u0301\u0323"}) {
    std::string text;
    for (int i = 0; i < 30000; ++i) text += unit;
    const auto ids = tokenizer.encode(text + "x");
    EXPECT_FALSE(ids.empty());
    EXPECT_EQ(tokenizer.encode(tokenizer.decode(ids)), ids) << unit;
  }
}

TEST(Tokenizer, ThreadsAndCopiesGiveTheSameIds) {
  const auto tokenizer = load(byte_tokenizer({{"t", "h"}, {"th", "e"}, {"\u0120", "the"}}));
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "the " + std::to_string(i) + " th\u00e9\u0301 ";
  const auto expected = tokenizer.encode(text);
  std::vector<std::vector<int>> found(4);
  std::vector<std::thread> threads;
  for (auto& ids : found)
    threads.emplace_back([&ids, &text, copy = tokenizer] {
      for (int i = 0; i < 5; ++i) ids = copy.encode(text);
    });
  for (auto& thread : threads) thread.join();
  for (const auto& ids : found) EXPECT_EQ(ids, expected);
}

}  // namespace
}  // namespace vlmark::test
