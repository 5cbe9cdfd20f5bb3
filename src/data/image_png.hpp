#pragma once

#include "src/data/image.hpp"

namespace vlmark::data {

/// Decodes a PNG as decode_image() describes. Throws IoError with libpng's text.
Image decode_png(std::span<const std::uint8_t> bytes, const std::string& name,
                 std::int64_t max_pixels);

/// Encodes as 8-bit RGB PNG; decode_image() gives the same bytes back. Throws ShapeError, IoError.
std::vector<std::uint8_t> encode_png(const Image& image);

/// Writes encode_png() to a file. Throws ShapeError, IoError.
void write_png(const std::filesystem::path& file, const Image& image);

}  // namespace vlmark::data
