#pragma once

#include "src/data/image_orientation.hpp"

namespace vlmark::data {

/// Most bytes that one compressed chunk of a PNG may unfold to, and all of them together: the
/// limits at which Pillow refuses as well.
inline constexpr std::size_t max_chunk_bytes = std::size_t{1} << 20;
inline constexpr std::size_t max_chunks_bytes = 64 * max_chunk_bytes;

/// Reads eXIf and the texts that hold EXIF or XMP data (also "Raw profile type exif", as ImageMagick
/// writes it); of several the last. Unfolds every iCCP, zTXt and iTXt to see how large it is; what
/// is not zlib counts as empty. Stops without a word where the chunks do: that is left to libpng.
///
/// `bytes` is a file that starts with PNG's signature. Throws IoError for a chunk above the limits
/// and for a raw profile that is not hexadecimal.
Metadata read_png_metadata(std::span<const std::uint8_t> bytes, const std::string& name);

}  // namespace vlmark::data
