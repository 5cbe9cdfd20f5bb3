#pragma once

#include "src/data/image.hpp"

namespace vlmark::data {

/// Decodes a JPEG as decode_image() describes. Throws IoError with libjpeg's text.
Image decode_jpeg(std::span<const std::uint8_t> bytes, const std::string& name,
                  std::int64_t max_pixels);

}  // namespace vlmark::data
