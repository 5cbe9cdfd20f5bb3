#include "src/data/pretokenize_classes.hpp"

#include <algorithm>
#include <bitset>

#include "src/data/tokenizer_utf8.hpp"

namespace vlmark::data {
namespace {

enum Class { other, letter, number };
struct Row {
  char32_t first, last;
  Class actual;
};

/// Made by asking `tokenizers` 0.22.2 and 0.23.3 about every code point and keeping those whose
/// class in Unicode 14 or 18 differs from the answer.
constexpr Row rows[] = {
    // clang-format off
    {0x558, 0x558, other}, {0x58b, 0x58c, other}, {0x88f, 0x88f, other}, {0xc5c, 0xc5c, other},
    {0xcdc, 0xcdc, other}, {0x180e, 0x180e, other}, {0x1c89, 0x1c8a, letter},
    {0x208f, 0x208f, other}, {0x209d, 0x209f, other}, {0xa7cb, 0xa7cd, letter},
    {0xa7ce, 0xa7cf, other}, {0xa7d2, 0xa7d2, other}, {0xa7d4, 0xa7d4, other},
    {0xa7da, 0xa7dc, letter}, {0xa7dd, 0xa7dd, other}, {0xa7e2, 0xa7e2, other},
    {0xa7f1, 0xa7f1, other}, {0xab6c, 0xab6d, other}, {0x105c0, 0x105f3, letter},
    {0x107bb, 0x107bf, other}, {0x10940, 0x10959, other}, {0x10d40, 0x10d49, number},
    {0x10d4a, 0x10d65, letter}, {0x10d6f, 0x10d85, letter}, {0x10ec2, 0x10ec4, letter},
    {0x10ec5, 0x10ec7, other}, {0x10ed9, 0x10eee, other}, {0x1123f, 0x11240, letter},
    {0x11380, 0x11389, letter}, {0x1138b, 0x1138b, letter}, {0x1138e, 0x1138e, letter},
    {0x11390, 0x113b5, letter}, {0x113b7, 0x113b7, letter}, {0x113d1, 0x113d1, letter},
    {0x113d3, 0x113d3, letter}, {0x116d0, 0x116e3, number}, {0x11b0a, 0x11b0a, other},
    {0x11bc0, 0x11be0, letter}, {0x11bf0, 0x11bf9, number}, {0x11db0, 0x11ddb, other},
    {0x11de0, 0x11de9, other}, {0x11df1, 0x11df1, other}, {0x11f02, 0x11f02, letter},
    {0x11f04, 0x11f10, letter}, {0x11f12, 0x11f33, letter}, {0x11f50, 0x11f59, number},
    {0x1246f, 0x1246f, other}, {0x12475, 0x1247f, other}, {0x12550, 0x12686, other},
    {0x1342f, 0x1342f, letter}, {0x13441, 0x13446, letter}, {0x13460, 0x143fa, letter},
    {0x16100, 0x1611d, letter}, {0x16130, 0x16139, number}, {0x16d40, 0x16d6c, letter},
    {0x16d70, 0x16d79, number}, {0x16ea0, 0x16eb8, other}, {0x16ebb, 0x16ed3, other},
    {0x16ff2, 0x16ff6, other}, {0x187f8, 0x187ff, other}, {0x18cd6, 0x18cda, other},
    {0x18cff, 0x18cff, letter}, {0x18d09, 0x18d20, other}, {0x18d80, 0x18df2, other},
    {0x18e00, 0x19191, other}, {0x191a0, 0x191d2, other}, {0x1b123, 0x1b128, other},
    {0x1b132, 0x1b132, letter}, {0x1b155, 0x1b155, letter}, {0x1b168, 0x1b168, other},
    {0x1ccf0, 0x1ccf9, number}, {0x1d2c0, 0x1d2d3, number}, {0x1d6a6, 0x1d6a6, other},
    {0x1df1f, 0x1df24, other}, {0x1df25, 0x1df2a, letter}, {0x1df2b, 0x1df81, other},
    {0x1df90, 0x1df96, other}, {0x1dfcd, 0x1dfff, other}, {0x1e030, 0x1e06d, letter},
    {0x1e4d0, 0x1e4eb, letter}, {0x1e4f0, 0x1e4f9, number}, {0x1e5d0, 0x1e5ed, letter},
    {0x1e5f0, 0x1e5f0, letter}, {0x1e5f1, 0x1e5fa, number}, {0x1e6c0, 0x1e6de, other},
    {0x1e6e0, 0x1e6e2, other}, {0x1e6e4, 0x1e6e5, other}, {0x1e6e7, 0x1e6ed, other},
    {0x1e6f0, 0x1e6f4, other}, {0x1e6fe, 0x1e6ff, other}, {0x2b739, 0x2b739, letter},
    {0x2b73a, 0x2b73f, other}, {0x2b81e, 0x2b81e, other}, {0x2cea2, 0x2cead, other},
    {0x2ebf0, 0x2ee5d, letter}, {0x31350, 0x323af, letter}, {0x323b0, 0x33479, other},
    {0x3d000, 0x3fc3f, other},
    // clang-format on
};

/// Stand-ins by class and UTF-8 length (2, 3, 4); no row of the table needs a two-byte letter or
/// number, the entries only complete it. All are older than Unicode 5.
constexpr std::string_view stand_in[3][3] = {
    {"\u00a7", "\u2022", "\U0001d100"},  // section sign, bullet, musical symbol
    {"\u00e9", "\u4e00", "\U00020000"},  // Latin, CJK ideographs
    {"\u0661", "\u0967", "\U0001d7ce"},  // Arabic-Indic, Devanagari, mathematical digit
};

constexpr int block_bits = 8;
using Blocks = std::bitset<(0x110000 >> block_bits)>;

/// Blocks of 256 characters that some row touches: all others, CJK among them, cost one look.
Blocks touched_blocks() {
  Blocks blocks;
  for (const Row& row : rows)
    for (char32_t block = row.first >> block_bits; block <= row.last >> block_bits; ++block)
      blocks.set(block);
  return blocks;
}

const Row* find_row(char32_t c) {
  static const Blocks touched = touched_blocks();
  if (!touched[c >> block_bits]) return nullptr;
  const Row* after = std::upper_bound(std::begin(rows), std::end(rows), c,
                                      [](char32_t v, const Row& r) { return v < r.first; });
  if (after == std::begin(rows) || c > (after - 1)->last) return nullptr;
  return after - 1;
}

}  // namespace

std::string_view with_stable_classes(std::string_view text, std::string& buffer) {
  bool replaced = false;
  for (std::size_t at = 0; at < text.size();) {
    if (static_cast<unsigned char>(text[at]) < 0xd5) {  // below U+0540: no row
      ++at;
      continue;
    }
    const auto [code_point, bytes] = read_utf8(text, at);
    if (const Row* row = find_row(code_point)) {
      if (!replaced) buffer.assign(text);
      replaced = true;
      buffer.replace(at, bytes, stand_in[row->actual][bytes - 2]);
    }
    at += bytes;
  }
  return replaced ? std::string_view(buffer) : text;
}

}  // namespace vlmark::data
