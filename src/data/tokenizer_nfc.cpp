#include "src/data/tokenizer_nfc.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <iterator>
#include <vector>

#include "src/base/contracts.hpp"
#include "src/data/tokenizer_utf8.hpp"

namespace vlmark::data {
namespace {

struct Range {
  char32_t first, last;
};

/// Characters younger than Unicode 9 that reorder or compose (non-zero combining class, or part
/// of a canonical composition), up to Unicode 18. Made by comparing `tokenizers` 0.22.2 and 0.23.3
/// with the Unicode character database, one code point and one composition at a time.
constexpr Range inert[] = {
    // clang-format off
    {0x5c8, 0x5c9}, {0x7fd, 0x7fd}, {0x897, 0x89f}, {0x8ca, 0x8d3}, {0x9fe, 0x9fe},
    {0xc3c, 0xc3c}, {0xd3b, 0xd3c}, {0xeba, 0xeba}, {0x1715, 0x1715}, {0x1abf, 0x1af0},
    {0x1df6, 0x1dfa}, {0xa82c, 0xa82c}, {0x105c9, 0x105c9}, {0x105d2, 0x105d2},
    {0x105da, 0x105da}, {0x105e4, 0x105e4}, {0x10d24, 0x10d27}, {0x10d69, 0x10d6d},
    {0x10eab, 0x10eac}, {0x10ecb, 0x10ecf}, {0x10ef0, 0x10efb}, {0x10efd, 0x10eff},
    {0x10f46, 0x10f50}, {0x10f82, 0x10f85}, {0x11070, 0x11070}, {0x1133b, 0x1133b},
    {0x11382, 0x11385}, {0x1138b, 0x1138b}, {0x1138e, 0x1138e}, {0x11390, 0x11391},
    {0x113b8, 0x113b8}, {0x113bb, 0x113bb}, {0x113c2, 0x113c2}, {0x113c5, 0x113c5},
    {0x113c7, 0x113c9}, {0x113ce, 0x113d0}, {0x1145e, 0x1145e}, {0x11839, 0x1183a},
    {0x11930, 0x11930}, {0x11935, 0x11935}, {0x11938, 0x11938}, {0x1193d, 0x1193e},
    {0x11943, 0x11943}, {0x119e0, 0x119e0}, {0x11a34, 0x11a34}, {0x11a47, 0x11a47},
    {0x11a99, 0x11a99}, {0x11d42, 0x11d42}, {0x11d44, 0x11d45}, {0x11d97, 0x11d97},
    {0x11f41, 0x11f42}, {0x1611e, 0x16129}, {0x1612f, 0x1612f}, {0x16d63, 0x16d63},
    {0x16d67, 0x16d6a}, {0x16ff0, 0x16ff1}, {0x1d127, 0x1d128}, {0x1d250, 0x1d252},
    {0x1d25b, 0x1d25c}, {0x1d25f, 0x1d25f}, {0x1d280, 0x1d281}, {0x1e08f, 0x1e08f},
    {0x1e130, 0x1e136}, {0x1e2ae, 0x1e2ae}, {0x1e2ec, 0x1e2ef}, {0x1e4ec, 0x1e4ef},
    {0x1e5ee, 0x1e5ef}, {0x1e6e3, 0x1e6e3}, {0x1e6e6, 0x1e6e6}, {0x1e6ee, 0x1e6ef},
    {0x1e6f5, 0x1e6f5},
    // clang-format on
};

/// U+11A7 is the one code point before the Hangul final consonants: it composes with nothing, but
/// utf8proc 2.8 swallows it after a syllable.
bool is_inert(char32_t c) {
  if (c == 0x11a7) return true;
  if (c < inert[0].first) return false;
  const Range* after = std::upper_bound(std::begin(inert), std::end(inert), c,
                                        [](char32_t v, const Range& r) { return v < r.first; });
  return c <= (after - 1)->last;
}

/// Blocks whose characters neither reorder nor decompose nor compose with what precedes them.
bool surely_normal(char32_t c) {
  return c < 0x300 || (c >= 0x400 && c <= 0x482) || (c >= 0x2010 && c <= 0x2027) ||
         (c >= 0x3001 && c <= 0x3029) || (c >= 0x3041 && c <= 0x3096) ||
         (c >= 0x309b && c <= 0x30ff) || (c >= 0x4e00 && c <= 0x9fff) ||
         (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xff01 && c <= 0xffef) ||
         (c >= 0x1f300 && c <= 0x1faff);
}

utf8proc_propval_t combining_class(utf8proc_int32_t code_point) {
  return utf8proc_get_property(code_point)->combining_class;
}

/// Canonical order (Unicode 15, D109). utf8proc's own pass swaps neighbours, which takes minutes on
/// a run of a hundred thousand marks.
void sort_marks(std::vector<utf8proc_int32_t>& points) {
  const auto is_mark = [](utf8proc_int32_t c) { return combining_class(c) != 0; };
  const auto in_order = [](utf8proc_int32_t a, utf8proc_int32_t b) {
    return combining_class(a) < combining_class(b);
  };
  for (auto begin = points.begin(); begin != points.end();) {
    begin = std::find_if(begin, points.end(), is_mark);
    const auto end = std::find_if_not(begin, points.end(), is_mark);
    if (!std::is_sorted(begin, end, in_order)) std::stable_sort(begin, end, in_order);
    begin = end;
  }
}

void append_normalized(std::string_view text, std::string& out) {
  constexpr auto options = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE);
  std::vector<utf8proc_int32_t> points;
  for (std::size_t at = 0; at < text.size();) {
    const auto [code_point, bytes] = read_utf8(text, at);
    utf8proc_int32_t parts[8];  // a canonical decomposition has at most four
    int boundary = 0;
    const auto count = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(code_point), parts,
                                               std::size(parts), options, &boundary);
    ensures(count > 0 && count <= std::ssize(parts));
    points.insert(points.end(), parts, parts + count);
    at += bytes;
  }
  sort_marks(points);
  const auto size = utf8proc_normalize_utf32(points.data(),
                                             static_cast<utf8proc_ssize_t>(points.size()), options);
  ensures(size >= 0);
  for (utf8proc_ssize_t i = 0; i < size; ++i)
    append_utf8(static_cast<char32_t>(points[static_cast<std::size_t>(i)]), out);
}

}  // namespace

bool is_surely_nfc(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    if (static_cast<unsigned char>(text[at]) < 0xcc) {  // below U+0300
      ++at;
      continue;
    }
    const auto [code_point, bytes] = read_utf8(text, at);
    if (!surely_normal(code_point)) return false;
    at += bytes;
  }
  return true;
}

std::string nfc(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  // A span starts at a character that may compose with what follows and ends where nothing reaches
  // across; only spans that hold something doubtful are handed to the library.
  std::size_t copied = 0, span = 0;
  bool doubtful = false;
  const auto finish_span = [&](std::size_t end) {
    if (!doubtful) return;
    out.append(text.substr(copied, span - copied));
    append_normalized(text.substr(span, end - span), out);
    copied = end;
    doubtful = false;
  };
  for (std::size_t at = 0; at < text.size();) {
    const auto [code_point, bytes] = read_utf8(text, at);
    const bool separates = is_inert(code_point);
    if (separates || surely_normal(code_point)) {
      finish_span(at);
      span = separates ? at + bytes : at;
    } else {
      doubtful = true;
    }
    at += bytes;
  }
  finish_span(text.size());
  return out.append(text.substr(copied));
}

}  // namespace vlmark::data
