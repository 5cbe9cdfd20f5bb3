#pragma once

#include <cstdint>
#include <vector>

#include "src/data/image.hpp"

namespace vlmark::test {

/// A kind of PNG that the project reads but never writes.
struct PngKind {
  int depth = 8;        ///< bits a channel
  int colour_type = 2;  ///< 0 grey, 2 RGB, 3 palette, 4 grey + alpha, 6 RGBA (PNG's numbers)
  bool interlaced = false;
  std::vector<std::uint8_t> palette = {};       ///< RGB triples
  std::vector<std::uint8_t> transparency = {};  ///< alpha of the palette's first entries
};

/// `rows`: the picture's rows as PNG packs them, big-endian, each padded to a whole byte.
std::vector<std::uint8_t> encode_png_kind(int width, int height, const PngKind& kind,
                                          const std::vector<std::uint8_t>& rows);

/// A PNG that claims this size and holds next to nothing.
std::vector<std::uint8_t> encode_png_bomb(int width, int height);

struct JpegKind {
  int channels = 3;  ///< 1 grey, 2 unknown, 3 RGB stored as YCbCr, 4 CMYK
  bool progressive = false;
  bool fine_scans = false;  ///< progressive, 759 scans: one a channel, frequency and bit
  int chroma_step = 2;      ///< luma samples a chroma sample, both ways
};

/// `samples`: [height, width, channels]. Quality 90.
std::vector<std::uint8_t> encode_jpeg(int width, int height, const JpegKind& kind,
                                      const std::vector<std::uint8_t>& samples);

}  // namespace vlmark::test
