#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace vlmark::data {

/// Characters that stand for the 256 byte values in the files of a byte-level tokenizer.
///
/// Printable Latin-1 stands for itself, the other 68 bytes for U+0100, U+0101, ... in order.
/// Source: GPT-2's `bytes_to_unicode`.
const std::array<char32_t, 256>& byte_characters();

/// Spells bytes as a byte-level file does (a space becomes U+0120).
std::string spell_bytes(std::string_view bytes);

/// Bytes that a token of a byte-level file stands for; empty optional when one of its characters
/// stands for no byte. Precondition: `token` is valid UTF-8.
std::optional<std::string> unspell_bytes(std::string_view token);

}  // namespace vlmark::data
