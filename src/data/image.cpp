#include "src/data/image.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string_view>

#include "src/base/error.hpp"
#include "src/data/image_jpeg.hpp"
#include "src/data/image_png.hpp"
#include "src/data/image_webp.hpp"

namespace vlmark::data {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::string_view decoded_formats = "PNG, JPEG and WebP";

/// Bytes that all files of a format have at a place.
struct Signature {
  std::string_view format;
  std::size_t offset;
  std::string_view bytes;
};

// Formats that are met in picture folders and are not decoded: a user is told what the file is,
// whatever its extension says.
constexpr Signature foreign_signatures[] = {
    {"a GIF", 0, "GIF8"sv},
    {"a BMP", 0, "BM"sv},
    {"a TIFF", 0, "II*\0"sv},
    {"a TIFF", 0, "MM\0*"sv},
    {"an AVIF", 4, "ftypavif"sv},
    {"an AVIF", 4, "ftypavis"sv},
    {"a HEIF", 4, "ftypheic"sv},
    {"a HEIF", 4, "ftypheix"sv},
    {"a HEIF", 4, "ftypmif1"sv},
    {"a JPEG 2000", 0, "\0\0\0\x0cjP  "sv},
    {"a JPEG XL", 0, "\0\0\0\x0cJXL "sv},
    {"a JPEG XL", 0, "\xff\x0a"sv},
    {"a PDF", 0, "%PDF"sv},
    {"a text, such as SVG or HTML", 0, "<"sv},
};

bool has(std::span<const std::uint8_t> bytes, std::size_t offset, std::string_view signature) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return text.size() > offset && text.substr(offset, signature.size()) == signature;
}

/// "a GIF", or "of no known format".
std::string_view foreign_format(std::span<const std::uint8_t> bytes) {
  for (const Signature& signature : foreign_signatures) {
    if (has(bytes, signature.offset, signature.bytes)) return signature.format;
  }
  return "of no known format";
}

std::string first_bytes(std::span<const std::uint8_t> bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes.first(std::min<std::size_t>(bytes.size(), 8))) {
    char hex[4];
    std::snprintf(hex, sizeof(hex), " %02x", byte);
    text += hex;
  }
  return text;
}

std::vector<std::uint8_t> read_bytes(const std::filesystem::path& file) {
  const auto refuse = [&](const std::string& reason) -> IoError {
    return IoError(file.string() + ": cannot read the picture: " + reason +
                   " (its pixels are needed). Check the path and its permissions");
  };
  std::error_code error;
  if (std::filesystem::is_directory(file, error)) throw refuse("it is a folder");
  std::ifstream stream(file, std::ios::binary | std::ios::ate);
  if (!stream) throw refuse(std::strerror(errno));
  const std::streamoff size = stream.tellg();
  if (size < 0) throw refuse("its size is unknown (not a regular file?)");
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size));
  stream.seekg(0);
  stream.read(reinterpret_cast<char*>(bytes.data()), size);
  if (stream.gcount() != size) {
    throw refuse("got " + std::to_string(stream.gcount()) + " of " + std::to_string(size) +
                 " bytes");
  }
  return bytes;
}

}  // namespace

void require_image(const std::string& where, const Image& image) {
  if (image.width > 0 && image.height > 0 &&
      image.rgb.size() == std::size_t{3} * image.width * image.height) {
    return;
  }
  throw ShapeError(where + ": picture of " + std::to_string(image.width) + "x" +
                   std::to_string(image.height) + " pixels with " +
                   std::to_string(image.rgb.size()) +
                   " values (both sides must be positive and hold 3 values a pixel). "
                   "Pass what read_image gives");
}

void require_pixel_limit(const std::string& name, std::int64_t width, std::int64_t height,
                         std::int64_t max_pixels) {
  // Division, because the product of two sides from a hostile header may overflow.
  if (width <= 0 || height <= max_pixels / width) return;
  throw IoError(name + ": picture of " + std::to_string(width) + "x" + std::to_string(height) +
                " pixels exceeds the limit of " + std::to_string(max_pixels) +
                " pixels (it may be a decompression bomb). Scale it down first");
}

Image decode_image(std::span<const std::uint8_t> bytes, const std::string& name,
                   std::int64_t max_pixels) {
  if (bytes.empty()) {
    throw IoError(name + ": the picture is empty, 0 bytes (nothing to decode). Fetch it again");
  }
  if (has(bytes, 0, "\x89PNG\r\n\x1a\n")) return decode_png(bytes, name, max_pixels);
  if (has(bytes, 0, "\xff\xd8\xff")) return decode_jpeg(bytes, name, max_pixels);
  if (has(bytes, 0, "RIFF") && has(bytes, 8, "WEBP")) return decode_webp(bytes, name, max_pixels);
  throw IoError(name + ": the picture is " + std::string(foreign_format(bytes)) +
                ", it starts with" + first_bytes(bytes) + " (" + std::string(decoded_formats) +
                " are decoded, whatever the file's name). Convert it to one of them");
}

Image read_image(const std::filesystem::path& file, std::int64_t max_pixels) {
  return decode_image(read_bytes(file), file.string(), max_pixels);
}

Image constant_image(int width, int height, std::uint8_t value) {
  if (width < 1 || height < 1) {
    throw ValueError("constant_image: size " + std::to_string(width) + "x" +
                     std::to_string(height) +
                     " (both sides must be positive). Ask for a larger one");
  }
  return {width, height, std::vector<std::uint8_t>(std::size_t{3} * width * height, value)};
}

}  // namespace vlmark::data
