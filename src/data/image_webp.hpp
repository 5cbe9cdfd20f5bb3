#pragma once

#include "src/data/image.hpp"

namespace vlmark::data {

/// Decodes a WebP, or the first frame of an animated one, as decode_image() describes.
/// `bytes` start with a RIFF header of WebP. Throws IoError.
Image decode_webp(std::span<const std::uint8_t> bytes, const std::string& name,
                  std::int64_t max_pixels);

}  // namespace vlmark::data
