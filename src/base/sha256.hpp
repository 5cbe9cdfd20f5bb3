#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace vlmark {

/// SHA-256 (FIPS 180-4) of the bytes as 64 lower-case hexadecimal digits. Throws IoError where the
/// installed OpenSSL has none.
std::string sha256_hex(std::span<const std::uint8_t> bytes);

}  // namespace vlmark
