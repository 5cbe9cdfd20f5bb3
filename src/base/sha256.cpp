#include "src/base/sha256.hpp"

#include <openssl/evp.h>

#include "src/base/error.hpp"

namespace vlmark {

std::string sha256_hex(std::span<const std::uint8_t> bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_sha256(), nullptr) != 1) {
    throw IoError(
        "sha256_hex: OpenSSL refuses SHA-256 (data cannot be checked). "
        "Install an OpenSSL that offers it");
  }
  std::string text;
  for (unsigned int i = 0; i < size; ++i) {
    text += "0123456789abcdef"[digest[i] >> 4];
    text += "0123456789abcdef"[digest[i] & 15];
  }
  return text;
}

}  // namespace vlmark
