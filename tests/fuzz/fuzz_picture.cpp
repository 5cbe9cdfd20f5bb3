#include <zlib.h>

#include <array>
#include <cstring>

#include "src/data/image.hpp"
#include "tests/fuzz/bounded.hpp"

using namespace vlmark;

namespace {

constexpr std::array<std::uint8_t, 8> png_signature = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
constexpr std::int64_t max_pixels = 1 << 16;

std::uint32_t big_endian(const std::uint8_t* at) {
  return std::uint32_t{at[0]} << 24 | at[1] << 16 | at[2] << 8 | at[3];
}

}  // namespace

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

/// Most mutated PNGs get right checksums, or libpng would refuse them at the first chunk.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned seed) {
  size = LLVMFuzzerMutate(data, size, most);
  if (seed % 4 == 0 || size < 8 || std::memcmp(data, png_signature.data(), 8) != 0) return size;
  for (std::size_t at = 8; at + 12 <= size;) {
    const std::uint32_t length = big_endian(data + at);
    if (length > size - at - 12) break;
    const auto crc = static_cast<std::uint32_t>(::crc32_z(0, data + at + 4, length + 4));
    for (int i = 0; i < 4; ++i)
      data[at + 8 + length + i] = static_cast<std::uint8_t>(crc >> (24 - 8 * i));
    at += length + 12;
  }
  return size;
}

/// Whatever format decode_image knows: the folder of the corpus says which one is looked at.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const fuzz::Bytes input(bytes, size);
  // A picture's memory follows its pixels, not its bytes: one file of a few bytes may be a large
  // picture of one colour. 32 bytes a pixel: samples of 16 bits, coefficients, and the result.
  fuzz::bounded(input, {(1 << 20) + 32 * max_pixels, 64}, [&] {
    const data::Image image = data::decode_image(input, "input", max_pixels);
    fuzz::require(std::int64_t{image.width} * image.height <= max_pixels, "a picture too large");
    data::require_image("input", image);
  });
  return 0;
}
