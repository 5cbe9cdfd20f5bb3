#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "src/data/bpe.hpp"
#include "src/data/tokenizer.hpp"
#include "src/data/tokenizer_nfc.hpp"
#include "src/data/tokenizer_utf8.hpp"
#include "tests/data/data_files.hpp"

namespace vlmark::test {
namespace {

using Random = std::mt19937;

const data::Tokenizer& small_tokenizer() {
  static const auto tokenizer =
      data::Tokenizer::from_folder(source_dir() / "tests/golden/tokenizer");
  return tokenizer;
}

char32_t random_code_point(Random& random) {
  static constexpr std::pair<char32_t, char32_t> kinds[] = {
      {0x20, 0x7e},       {0x61, 0x7a},       {0x61, 0x7a},     {0x0, 0x2ff},
      {0x300, 0x36f},     {0x300, 0x36f},     {0x900, 0xdff},   {0x1100, 0x11ff},
      {0xac00, 0xd7a3},   {0x1e00, 0x1fff},   {0x2000, 0x206f}, {0x3040, 0x30ff},
      {0x4e00, 0x9fff},   {0xd7a4, 0xd7ff},   {0xe000, 0xffff}, {0x11000, 0x11fff},
      {0x1f300, 0x1faff}, {0x10000, 0x10ffff}};
  const auto [first, last] = kinds[random() % std::size(kinds)];
  return first + static_cast<char32_t>(random() % (last - first + 1));
}

std::string random_text(Random& random) {
  std::string text;
  for (unsigned length = random() % 24; length > 0; --length)
    data::append_utf8(random_code_point(random), text);
  return text;
}

class TokenizerProperty : public testing::TestWithParam<unsigned> {};

TEST_P(TokenizerProperty, DecodeOfEncodeIsTheNormalisedText) {
  Random random(GetParam());
  for (int i = 0; i < 4000; ++i) {
    const std::string text = random_text(random);
    const auto ids = small_tokenizer().encode(text);
    ASSERT_EQ(small_tokenizer().decode(ids), data::nfc(text))
        << "seed " << GetParam() << ", text " << i;
  }
}

TEST_P(TokenizerProperty, NormalisationIsIdempotent) {
  Random random(GetParam());
  for (int i = 0; i < 4000; ++i) {
    const std::string once = data::nfc(random_text(random));
    ASSERT_EQ(data::nfc(once), once) << "seed " << GetParam() << ", text " << i;
  }
}

TEST_P(TokenizerProperty, SpecialTokensSeparateTexts) {
  Random random(GetParam());
  const auto specials = small_tokenizer().special_ids();
  ASSERT_EQ(specials.size(), 14u);
  for (int i = 0; i < 2000; ++i) {
    const std::string left = random_text(random), right = random_text(random);
    const int special = specials[random() % specials.size()];
    auto expected = small_tokenizer().encode(left);
    expected.push_back(special);
    for (const int id : small_tokenizer().encode(right)) expected.push_back(id);
    ASSERT_EQ(small_tokenizer().encode(left + small_tokenizer().token(special) + right), expected)
        << "seed " << GetParam() << ", text " << i;
  }
}

TEST_P(TokenizerProperty, AnyIdsDecodeToValidUtf8) {
  Random random(GetParam());
  const auto vocabulary = static_cast<unsigned>(small_tokenizer().vocab_size());
  for (int i = 0; i < 4000; ++i) {
    std::vector<int> ids(random() % 20);
    for (int& id : ids) id = static_cast<int>(random() % vocabulary);
    for (const bool skip_special : {false, true}) {
      const std::string text = small_tokenizer().decode(ids, skip_special);
      ASSERT_EQ(data::first_invalid_utf8(text), text.size())
          << "seed " << GetParam() << ", ids " << i;
    }
  }
}

TEST_P(TokenizerProperty, ByteSoupIsEncodedOrRefusedAndRepaired) {
  Random random(GetParam());
  static constexpr std::string_view bytes =
      "\x41\x7f\x80\xbf\xc2\xe0\xa0\xed\x9f\xef\xf0\x90\xf4\x8f\xff";
  for (int i = 0; i < 4000; ++i) {
    std::string soup;
    for (unsigned length = random() % 12; length > 0; --length)
      soup += bytes[random() % bytes.size()];
    const std::string repaired = data::replace_invalid_utf8(soup);
    ASSERT_EQ(data::first_invalid_utf8(repaired), repaired.size());
    if (data::first_invalid_utf8(soup) == soup.size()) {
      ASSERT_EQ(repaired, soup);
    } else {
      ASSERT_NE(repaired, soup);
    }
  }
}

/// Literal reading of the definition: look for the lowest rank, leftmost, until there is none.
std::vector<int> naive_bpe(const std::string& piece, const std::vector<data::MergeRule>& rules) {
  std::map<std::pair<int, int>, std::size_t> ranks;
  for (std::size_t rank = 0; rank < rules.size(); ++rank)
    ranks[{rules[rank].left, rules[rank].right}] = rank;
  std::vector<int> ids(piece.begin(), piece.end());
  while (true) {
    std::size_t best = rules.size(), at = 0;
    for (std::size_t i = 0; i + 1 < ids.size(); ++i)
      if (const auto found = ranks.find({ids[i], ids[i + 1]});
          found != ranks.end() && found->second < best)
        best = found->second, at = i;
    if (best == rules.size()) return ids;
    ids[at] = rules[best].merged;
    ids.erase(ids.begin() + at + 1);
  }
}

TEST_P(TokenizerProperty, ShortAndLongPiecesFollowTheDefinition) {
  Random random(GetParam());
  std::array<int, 256> byte_ids;
  for (int byte = 0; byte < 256; ++byte) byte_ids[byte] = byte;
  for (int round = 0; round < 30; ++round) {
    // Tokens are strings over {a, b, c}; two pairs with the same junction give the same token.
    std::vector<std::string> tokens(256);
    for (const char c : {'a', 'b', 'c'}) tokens[static_cast<unsigned char>(c)] = std::string(1, c);
    std::vector<int> known = {'a', 'b', 'c'};
    std::vector<data::MergeRule> rules;
    for (int i = 0; i < 40; ++i) {
      const int left = known[random() % known.size()], right = known[random() % known.size()];
      if (std::any_of(rules.begin(), rules.end(), [&](const data::MergeRule& rule) {
            return rule.left == left && rule.right == right;
          }))
        continue;
      const std::string token = tokens[left] + tokens[right];
      const auto found = std::find(tokens.begin(), tokens.end(), token);
      const int merged = static_cast<int>(found - tokens.begin());
      if (found == tokens.end()) tokens.push_back(token), known.push_back(merged);
      rules.push_back({left, right, merged});
    }
    std::shuffle(rules.begin(), rules.end(), random);
    const data::Bpe bpe(byte_ids, rules);
    data::BpeScratch scratch;
    for (const int length : {1, 2, 3, 8, 8, 29, 30, 31, 63, 64, 65, 66, 130, 400}) {
      std::string piece;
      for (int i = 0; i < length; ++i) piece += "abc"[random() % 3];
      for (const char* use : {"first", "cached"}) {
        std::vector<int> ids;
        bpe.encode(piece, scratch, ids);
        ASSERT_EQ(ids, naive_bpe(piece, rules))
            << "seed " << GetParam() << ", " << use << " use of " << piece;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, TokenizerProperty, testing::Values(1u, 2u, 3u));

}  // namespace
}  // namespace vlmark::test
