#include "src/data/byte_map.hpp"

#include "src/data/tokenizer_utf8.hpp"

namespace vlmark::data {
namespace {

bool printable(int byte) {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) ||
         (byte >= 0xae && byte <= 0xff);
}

constexpr int first_shifted = 0x100;
constexpr int characters = first_shifted + 256 - 188;  // 188 bytes stand for themselves

/// Byte of every character below `characters`; -1 for the characters that stand for none.
std::array<int, characters> inverse() {
  std::array<int, characters> bytes;
  bytes.fill(-1);
  for (int byte = 0; byte < 256; ++byte) bytes[byte_characters()[byte]] = byte;
  return bytes;
}

}  // namespace

const std::array<char32_t, 256>& byte_characters() {
  static const auto table = [] {
    std::array<char32_t, 256> result{};
    char32_t shifted = first_shifted;
    for (int byte = 0; byte < 256; ++byte)
      result[byte] = printable(byte) ? static_cast<char32_t>(byte) : shifted++;
    return result;
  }();
  return table;
}

std::string spell_bytes(std::string_view bytes) {
  std::string spelled;
  for (const unsigned char byte : bytes) append_utf8(byte_characters()[byte], spelled);
  return spelled;
}

std::optional<std::string> unspell_bytes(std::string_view token) {
  static const auto table = inverse();
  std::string bytes;
  bytes.reserve(token.size());
  for (std::size_t at = 0; at < token.size();) {
    const auto [code_point, length] = read_utf8(token, at);
    if (code_point >= characters || table[code_point] < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(table[code_point]));
    at += length;
  }
  return bytes;
}

}  // namespace vlmark::data
