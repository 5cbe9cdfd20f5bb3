#include "src/data/image_orientation.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "src/base/error.hpp"

namespace vlmark::data {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::uint64_t orientation_tag = 0x0112;
// Bytes of one value by TIFF type; 0: a type that does not exist.
constexpr std::array<std::uint64_t, 17> type_bytes = {0, 1, 1, 2, 4, 8, 1, 1, 2,
                                                      4, 8, 4, 8, 4, 0, 0, 8};
// Types that hold whole numbers: SHORT, LONG, SBYTE, SSHORT, SLONG, IFD, LONG8.
constexpr std::array<std::uint64_t, 7> whole_types = {3, 4, 6, 8, 9, 13, 16};

Bytes without_prefix(Bytes exif) {
  constexpr std::array<std::uint8_t, 6> prefix = {'E', 'x', 'i', 'f', 0, 0};
  while (exif.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), exif.begin())) {
    exif = exif.subspan(prefix.size());
  }
  return exif;
}

/// Numbers of a TIFF file in its byte order.
struct TiffReader {
  Bytes bytes;
  bool big_endian = false;

  bool holds(std::uint64_t offset, std::uint64_t count) const {
    return offset <= bytes.size() && count <= bytes.size() - offset;
  }
  std::uint64_t number(std::uint64_t offset, std::uint64_t count) const {
    std::uint64_t value = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      value = value << 8 | bytes[offset + (big_endian ? i : count - 1 - i)];
    }
    return value;
  }
};

/// False where the header is not that of TIFF. The number 42 is taken in both byte orders, as
/// writers mix them up and Pillow does not mind.
bool read_header(TiffReader& tiff) {
  if (tiff.bytes.size() < 8) return false;
  const std::string_view order(reinterpret_cast<const char*>(tiff.bytes.data()), 2);
  tiff.big_endian = order == "MM";
  const std::uint64_t version = tiff.number(2, 2);
  return (order == "II" || order == "MM") && (version == 42 || version == 42 << 8);
}

/// The orientation that the first directory names last.
std::optional<std::uint64_t> find_orientation(const TiffReader& tiff) {
  std::optional<std::uint64_t> found;
  const std::uint64_t directory = tiff.number(4, 4);
  if (!tiff.holds(directory, 2)) return found;
  const std::uint64_t count = tiff.number(directory, 2);
  for (std::uint64_t i = 0, entry = directory + 2; i < count; ++i, entry += 12) {
    if (!tiff.holds(entry, 12)) return found;
    const std::uint64_t type = tiff.number(entry + 2, 2);
    const std::uint64_t unit = type < type_bytes.size() ? type_bytes[type] : 0;
    const std::uint64_t size = tiff.number(entry + 4, 4) * unit;
    if (size == 0) continue;
    // Values that do not fit into the entry lie elsewhere.
    const std::uint64_t offset = size > 4 ? tiff.number(entry + 8, 4) : entry + 8;
    if (!tiff.holds(offset, size)) return found;
    if (tiff.number(entry, 2) != orientation_tag) continue;
    const bool whole = std::find(whole_types.begin(), whole_types.end(), type) != whole_types.end();
    found = whole ? tiff.number(offset, unit) : 1;
  }
  return found;
}

/// The digit of tiff:Orientation="6" or <tiff:Orientation>6<.
std::optional<std::uint64_t> find_in_xmp(std::string_view xmp) {
  constexpr std::string_view key = "tiff:Orientation";
  for (std::size_t at = xmp.find(key); at != std::string_view::npos; at = xmp.find(key, at)) {
    at += key.size();
    const std::string_view rest = xmp.substr(at, 3);
    const std::size_t digit = rest.substr(0, 2) == "=\"" ? 2 : (rest.substr(0, 1) == ">" ? 1 : 3);
    if (digit < rest.size() && rest[digit] >= '0' && rest[digit] <= '9') return rest[digit] - '0';
  }
  return std::nullopt;
}

}  // namespace

int orientation_of(const Metadata& metadata, const std::string& name) {
  std::optional<std::uint64_t> found;
  TiffReader tiff{without_prefix(metadata.exif)};
  if (!tiff.bytes.empty()) {
    if (!read_header(tiff)) {
      throw IoError(name + ": its EXIF data of " + std::to_string(tiff.bytes.size()) +
                    " bytes do not start with a TIFF header, 'II' or 'MM' and the number 42 "
                    "(which side of the picture is up is unknown). Strip or repair its metadata");
    }
    found = find_orientation(tiff);
  }
  if (!found) found = find_in_xmp(metadata.xmp);
  return found && *found >= 1 && *found <= 8 ? static_cast<int>(*found) : 1;
}

Image turn_upright(Image image, int orientation) {
  if (orientation < 2 || orientation > 8) return image;
  const bool swap = orientation >= 5;
  const bool from_right = orientation == 2 || orientation == 3 || orientation >= 7;
  const bool from_bottom =
      orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  Image turned{swap ? image.height : image.width, swap ? image.width : image.height,
               std::vector<std::uint8_t>(image.rgb.size())};
  const std::uint8_t* pixel = image.rgb.data();
  for (int row = 0; row < image.height; ++row) {
    for (int column = 0; column < image.width; ++column, pixel += 3) {
      int x = from_right ? image.width - 1 - column : column;
      int y = from_bottom ? image.height - 1 - row : row;
      if (swap) std::swap(x, y);
      std::copy_n(pixel, 3, turned.rgb.data() + (std::size_t{3} * turned.width * y + 3u * x));
    }
  }
  return turned;
}

}  // namespace vlmark::data
