#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vlmark::data {

/// One character of a UTF-8 text.
struct CodePoint {
  char32_t value = 0;
  std::size_t bytes = 0;
};

/// Reads the character that starts at `at`. Precondition: the text is valid UTF-8.
CodePoint read_utf8(std::string_view text, std::size_t at);

void append_utf8(char32_t code_point, std::string& out);

/// Offset of the first byte that does not belong to a well-formed character (Unicode table 3-7:
/// no surrogates, no overlong forms, nothing above U+10FFFF); text.size() when all is well.
std::size_t first_invalid_utf8(std::string_view text);

/// Copies `bytes`, replacing every maximal subpart of an ill-formed sequence by one U+FFFD.
/// Source: Unicode 15, section 3.9, "U+FFFD substitution of maximal subparts"; what Rust's
/// String::from_utf8_lossy does.
std::string replace_invalid_utf8(std::string_view bytes);

}  // namespace vlmark::data
