#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace vlmark::data {

/// A decoded picture, 8 bits a channel, rows from top to bottom without padding.
struct Image {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> rgb;  // [height, width, 3]

  bool operator==(const Image&) const = default;
};

/// Largest picture that is decoded, in pixels: the limit at which Pillow refuses as well.
inline constexpr std::int64_t max_image_pixels = 178'956'970;

/// Decodes a PNG, JPEG or WebP (told apart by their first bytes) to upright RGB, with the bytes that
/// Pillow gives where the model's processor loads a picture:
/// `ImageOps.exif_transpose(Image.open(...)).convert("RGB")`.
///
/// - JPEG: baseline and progressive; grey, colour, CMYK and YCCK; accurate integer DCT, fancy
///   upsampling. Four channels are taken as inverted, as Adobe writes them, and joined without a
///   profile. What libjpeg fills with a guess (premature end, bad Huffman codes) is an error.
/// - PNG: every colour type and depth, interlaced or not; alpha and transparent colours are
///   dropped, 16-bit channels keep their high byte. 16-bit grey without alpha is clipped to 255,
///   not scaled, because Pillow does so and the model's processor with it. Of an animation the
///   default picture.
/// - WebP: lossy and lossless; alpha is dropped. Of an animation the first frame; what it leaves
///   free of the canvas is black.
/// - The orientation of EXIF, or else XMP, is applied; colour profiles and gamma are not.
///
/// `name` is what errors call the picture. Throws IoError with the text of the library, also when
/// width * height exceeds `max_pixels` (checked before memory is allocated) or metadata of a PNG
/// unfold to more than max_chunk_bytes.
Image decode_image(std::span<const std::uint8_t> bytes, const std::string& name,
                   std::int64_t max_pixels = max_image_pixels);

/// Reads a file and decodes it as above.
Image read_image(const std::filesystem::path& file, std::int64_t max_pixels = max_image_pixels);

/// A picture of one colour, e.g. the grey control that shows whether answers depend on pixels.
Image constant_image(int width, int height, std::uint8_t value);

/// Throws ShapeError unless `rgb` holds width * height * 3 values and both sides are positive.
void require_image(const std::string& where, const Image& image);

/// Throws IoError, before memory is allocated, for a picture of more than `max_pixels`.
void require_pixel_limit(const std::string& name, std::int64_t width, std::int64_t height,
                         std::int64_t max_pixels);

}  // namespace vlmark::data
