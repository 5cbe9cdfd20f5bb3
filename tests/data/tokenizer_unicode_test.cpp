#include <gtest/gtest.h>

#include <set>

#include "src/data/byte_map.hpp"
#include "src/data/pretokenize.hpp"
#include "src/data/pretokenize_classes.hpp"
#include "src/data/tokenizer_nfc.hpp"
#include "src/data/tokenizer_utf8.hpp"

namespace vlmark::test {
namespace {

using data::nfc;

std::string utf8(char32_t code_point) {
  std::string text;
  data::append_utf8(code_point, text);
  return text;
}

bool is_surrogate(char32_t c) { return c >= 0xd800 && c < 0xe000; }

TEST(ByteMap, IsOneToOneAndGpt2s) {
  const auto& table = data::byte_characters();
  EXPECT_EQ(std::set<char32_t>(table.begin(), table.end()).size(), 256u);
  EXPECT_EQ(table['a'], U'a');
  EXPECT_EQ(table[0], U'\u0100');
  EXPECT_EQ(table[' '], U'\u0120');
  EXPECT_EQ(table['\n'], U'\u010a');
  EXPECT_EQ(table[0x7f], U'\u0121');
  EXPECT_EQ(table[0xa0], U'\u0142');
  EXPECT_EQ(table[0xad], U'\u0143');
  EXPECT_EQ(table[0xff], U'\u00ff');
  for (int byte = 0; byte < 256; ++byte) {
    const std::string one(1, static_cast<char>(byte));
    EXPECT_EQ(data::unspell_bytes(data::spell_bytes(one)), one) << byte;
  }
  EXPECT_EQ(data::unspell_bytes("a\u0144"), std::nullopt);
  EXPECT_EQ(data::unspell_bytes("\u4e2d"), std::nullopt);
  EXPECT_EQ(data::unspell_bytes(" "), std::nullopt);
}

TEST(Utf8, EveryCodePointSurvivesAndNothingElseIsValid) {
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (is_surrogate(c)) continue;
    const std::string text = utf8(c);
    const auto [value, bytes] = data::read_utf8(text, 0);
    ASSERT_TRUE(value == c && bytes == text.size() && data::first_invalid_utf8(text) == bytes)
        << std::hex << std::uint32_t{c};
  }
  for (char32_t c = 0xd800; c < 0xe000; ++c) ASSERT_EQ(data::first_invalid_utf8(utf8(c)), 0u);
  EXPECT_EQ(data::first_invalid_utf8(utf8(0x110000)), 0u);
}

TEST(Utf8, ReplacesMaximalSubparts) {
  const std::pair<std::string, std::string> cases[] = {
      // Unicode 15, tables 3-8 to 3-11.
      {"\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41", "________A"},
      {"\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41", "________A"},
      {"\xf4\x91\x92\x93\xff\x41\x80\xbf\x42", "_____A__B"},
      {"\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41", "____A"},
      {"\x61\xf1\x80\x80\xe1\x80\xc2\x62\x80\x63\x80\xbf\x64", "a___b_c__d"},
      {"\xe2\x82", "_"},
      {"\xf0\x9f\x98", "_"},
      {"\xf0\x9f\x98\xf0\x9f\x98\x80", "_\U0001f600"},
      {std::string("\0a", 2), std::string("\0a", 2)}};
  for (const auto& [bytes, shape] : cases) {
    std::string expected;
    for (const char c : shape) c == '_' ? expected += "\ufffd" : expected += c;
    EXPECT_EQ(data::replace_invalid_utf8(bytes), expected) << shape;
  }
}

TEST(Nfc, ComposesAndReorders) {
  EXPECT_EQ(nfc(""), "");
  EXPECT_EQ(nfc("e\u0301 x"), "\u00e9 x");
  EXPECT_EQ(nfc("s\u0307\u0323"), "\u1e69");
  EXPECT_EQ(nfc("\u212b\u2126\ufb1d\u0958"), "\u00c5\u03a9\u05d9\u05b4\u0915\u093c");
  EXPECT_EQ(nfc("\u1112\u1161\u11ab"), "\ud55c");
  EXPECT_EQ(nfc("\ud558\u11ab"), "\ud55c");
  EXPECT_EQ(nfc(std::string("a\0e\u0301", 5)), std::string("a\0\u00e9", 4));
}

/// Sorting by swaps of neighbours takes minutes here.
TEST(Nfc, SortsALongRunOfMarks) {
  std::string reversed = "a", sorted = "\u1ea1";
  for (int i = 0; i < 200'000; ++i) reversed += "\u0308";
  for (int i = 0; i < 200'000; ++i) reversed += "\u0323";
  for (int i = 1; i < 200'000; ++i) sorted += "\u0323";
  for (int i = 0; i < 200'000; ++i) sorted += "\u0308";
  EXPECT_TRUE(nfc(reversed) == sorted);
}

TEST(Nfc, KeepsTheCharacterBeforeTheFinalConsonants) {
  EXPECT_EQ(nfc("\ud55c\u11a7x"), "\ud55c\u11a7x");
  EXPECT_EQ(nfc("\u1112\u1161\u11a7"), "\ud558\u11a7");
}

TEST(Nfc, CharactersYoungerThanUnicode9SeparateTheirNeighbours) {
  for (const std::string text : {"\U00011935\U00011930", "\U000105d2\u0307", "a\u0898\u0323\u08ca",
                                 "\u0301\u1df6\u0323", "\U00016d67\U00016d67"})
    EXPECT_EQ(nfc(text), text);
  EXPECT_EQ(nfc("e\u0301\u1df6\u0301e\u0301"), "\u00e9\u1df6\u0301\u00e9");
}

/// What is_surely_nfc vouches for, nfc must leave alone, whatever stands before it.
TEST(Nfc, TheQuickLookIsRight) {
  int sure = 0;
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (is_surrogate(c) || !data::is_surely_nfc(utf8(c))) continue;
    ++sure;
    // A doubtful neighbour on the right end forces the span through the library.
    const std::string text = "a\u1112" + utf8(c) + "\u0378";
    ASSERT_EQ(nfc(text), text) << std::hex << std::uint32_t{c};
  }
  EXPECT_GT(sure, 30000);
  EXPECT_FALSE(data::is_surely_nfc("e\u0301"));
  EXPECT_TRUE(data::is_surely_nfc("\u00e9\u4e2d\uac00 ascii"));
}

/// 'L', 'N', 'S' or 'o' by how the pattern cuts "aXa" and "!X!" into pieces.
char class_seen(const data::Pretokenizer& pretokenizer, char32_t c) {
  data::Pretokenizer::Scratch scratch(pretokenizer);
  std::vector<std::size_t> letters, marks;
  pretokenizer.split("a" + utf8(c) + "a", scratch, letters);
  pretokenizer.split("!" + utf8(c) + "!", scratch, marks);
  if (letters.size() == 1) return 'L';
  if (letters.size() == 3) return 'N';
  return marks.size() == 1 ? 'o' : 'S';
}

TEST(Pretokenizer, ClassesAreThoseOfHuggingFace) {
  const data::Pretokenizer pretokenizer(data::qwen2_split_pattern, "test");
  const std::pair<char32_t, char> expected[] = {
      {U'a', 'L'},
      {0xe9, 'L'},
      {0x4e2d, 'L'},
      {U'7', 'N'},
      {0xbd, 'N'},
      {0x2177, 'N'},
      {U'!', 'o'},
      {0x301, 'o'},
      {0x200b, 'o'},
      {0x2060, 'o'},
      {0xfeff, 'o'},
      {0x180e, 'o'},
      {0x1c, 'o'},
      {U' ', 'S'},
      {U'\t', 'S'},
      {0xb, 'S'},
      {0x85, 'S'},
      {0xa0, 'S'},
      {0x1680, 'S'},
      {0x2028, 'S'},
      {0x3000, 'S'},
      {0x378, 'o'},
      {0x10ffff, 'o'},
      // Unicode 15 to 16: letters and numbers
      {0x1c89, 'L'},
      {0xa7cb, 'L'},
      {0xa7da, 'L'},
      {0x105c0, 'L'},
      {0x11240, 'L'},
      {0x13460, 'L'},
      {0x1e4d0, 'L'},
      {0x2b739, 'L'},
      {0x2ebf0, 'L'},
      {0x2ee5d, 'L'},
      {0x31350, 'L'},
      {0x323af, 'L'},
      {0x10d40, 'N'},
      {0x11f50, 'N'},
      {0x1ccf9, 'N'},
      {0x1e4f0, 'N'},
      {0x1e5f1, 'N'},
      // Younger than Unicode 16: not letters for Hugging Face
      {0x88f, 'o'},
      {0xa7ce, 'o'},
      {0x2b73a, 'o'},
      {0x323b0, 'o'},
      {0x11de0, 'o'}};
  for (const auto& [c, seen] : expected)
    EXPECT_EQ(class_seen(pretokenizer, c), seen) << std::hex << std::uint32_t{c};
}

TEST(Pretokenizer, StandInsKeepEveryOffset) {
  std::string buffer;
  const std::string plain = "text \u4e2d\u00e9";
  EXPECT_EQ(data::with_stable_classes(plain, buffer).data(), plain.data());
  for (char32_t c = 0x80; c < 0x110000; ++c) {
    if (is_surrogate(c)) continue;
    const std::string text = "x" + utf8(c) + "y";
    const std::string_view seen = data::with_stable_classes(text, buffer);
    ASSERT_TRUE(seen.size() == text.size() && seen.back() == 'y' &&
                data::first_invalid_utf8(seen) == seen.size())
        << std::hex << std::uint32_t{c};
  }
}

TEST(Pretokenizer, CutsAsQwen2Does) {
  const data::Pretokenizer pretokenizer(data::qwen2_split_pattern, "test");
  data::Pretokenizer::Scratch scratch(pretokenizer);
  const std::vector<std::string> cases[] = {{},
                                            {"Hello", " world", "!"},
                                            {"I", "'ll", " go", "\n\n", "  ", " x"},
                                            {"1", "2", ".", "5"},
                                            {"a", " ", " b", "  "},
                                            {"'\u017f", "x"},  // U+017F folds to s
                                            {"!!\r\n", "\t", " x"},
                                            {" ", "\u3000x"}};
  for (const auto& pieces : cases) {
    std::string text;
    std::vector<std::size_t> expected, ends;
    for (const auto& piece : pieces) expected.push_back((text += piece).size());
    pretokenizer.split(text, scratch, ends);
    EXPECT_EQ(ends, expected) << text;
  }
}

}  // namespace
}  // namespace vlmark::test
