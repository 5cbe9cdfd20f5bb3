#include "src/data/image_png_chunks.hpp"

#include <zlib.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "src/base/error.hpp"

namespace vlmark::data {
namespace {

constexpr std::size_t signature_bytes = 8;

std::size_t big_endian(std::string_view bytes) {
  std::size_t value = 0;
  for (const char byte : bytes.substr(0, 4)) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

/// Takes the text before the next zero byte off `rest`; nothing where there is none.
std::optional<std::string_view> take_text(std::string_view& rest) {
  const std::size_t end = rest.find('\0');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view text = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return text;
}

/// At most `limit` + 1 bytes of a zlib stream; empty where it is damaged.
std::string unfold(std::string_view packed, std::size_t limit) {
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return "";
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string text;
  int status = Z_OK;
  while (status == Z_OK && text.size() <= limit) {
    const std::size_t old = text.size();
    text.resize(std::min(limit + 1, std::max<std::size_t>(4096, 2 * old)));
    stream.next_out = reinterpret_cast<Bytef*>(text.data() + old);
    stream.avail_out = static_cast<uInt>(text.size() - old);
    status = inflate(&stream, Z_NO_FLUSH);
    text.resize(text.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  // Z_BUF_ERROR: the stream is cut; what came out counts, as in Pillow.
  return status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR ? text : "";
}

/// ImageMagick's form: three lines of heading, then hexadecimal digits in lines.
std::optional<std::vector<std::uint8_t>> from_raw_profile(std::string_view text) {
  for (int line = 0; line < 3; ++line) {
    const std::size_t end = text.find('\n');
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  std::vector<std::uint8_t> bytes;
  int digits = 0;
  for (const char c : text) {
    if (std::string_view(" \t\r\n\f\v").find(c) != std::string_view::npos) continue;
    const std::size_t digit = std::string_view("0123456789abcdefABCDEF").find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    if (digits++ % 2 == 0) bytes.push_back(0);
    bytes.back() = static_cast<std::uint8_t>(bytes.back() << 4 | (digit < 16 ? digit : digit - 6));
  }
  if (digits % 2 != 0) return std::nullopt;
  return bytes;
}

/// Collects what the chunks say; `raw_profile` counts only where no other EXIF data do.
class ChunkReader {
 public:
  explicit ChunkReader(const std::string& name) : name_(name) {}

  void read(std::string_view type, std::string_view content) {
    if (type == "eXIf") metadata_.exif.assign(content.begin(), content.end());
    if (type != "iCCP" && type != "tEXt" && type != "zTXt" && type != "iTXt") return;
    std::string_view rest = content;
    const auto key = take_text(rest);
    if (!key) return;
    if (type == "tEXt") return keep(*key, std::string(rest));
    bool packed = true;
    if (type == "iTXt") {
      if (rest.size() < 2) return;
      packed = rest[0] != 0;
    }
    if (rest.empty() || rest[type == "iTXt" ? 1 : 0] != 0) return;  // no method but zlib's is known
    rest.remove_prefix(type == "iTXt" ? 2 : 1);
    if (type == "iTXt" && (!take_text(rest) || !take_text(rest))) return;  // language, translation
    keep(*key, packed ? bounded(type, content, rest) : std::string(rest));
  }

  Metadata metadata() {
    if (!metadata_.exif.empty() || raw_profile_.empty()) return std::move(metadata_);
    auto exif = from_raw_profile(raw_profile_);
    if (!exif) {
      throw IoError(name_ + ": its PNG text 'Raw profile type exif' of " +
                    std::to_string(raw_profile_.size()) +
                    " bytes is not three lines and an even count of hexadecimal digits (which side "
                    "of the picture is up is unknown). Strip or repair its metadata");
    }
    metadata_.exif = std::move(*exif);
    return std::move(metadata_);
  }

 private:
  std::string bounded(std::string_view type, std::string_view content, std::string_view packed) {
    std::string text = unfold(packed, max_chunk_bytes);
    total_ += text.size();
    if (text.size() > max_chunk_bytes) refuse(type, content, "", max_chunk_bytes, "one chunk");
    if (total_ > max_chunks_bytes) {
      refuse(type, content, "and those before it ", max_chunks_bytes, "all chunks");
    }
    return text;
  }

  [[noreturn]] void refuse(std::string_view type, std::string_view content, const char* more,
                           std::size_t limit, const char* whose) const {
    throw IoError(name_ + ": its PNG chunk " + std::string(type) + " of " +
                  std::to_string(content.size()) + " bytes " + more + "unfolds to more than " +
                  std::to_string(limit) + " bytes, the limit of " + whose +
                  " (it may be a decompression bomb). Save the picture without profile and text");
  }

  void keep(std::string_view key, std::string text) {
    if (key == "XML:com.adobe.xmp") {
      metadata_.xmp = std::move(text);
    } else if (key == "Raw profile type exif") {
      raw_profile_ = std::move(text);
    }
  }

  const std::string& name_;
  Metadata metadata_;
  std::string raw_profile_;
  std::size_t total_ = 0;
};

}  // namespace

Metadata read_png_metadata(std::span<const std::uint8_t> bytes, const std::string& name) {
  ChunkReader reader(name);
  std::string_view rest(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  rest.remove_prefix(std::min(signature_bytes, rest.size()));
  while (rest.size() >= 12) {  // length, type and checksum of four bytes each
    const std::size_t length = big_endian(rest);
    const std::string_view type = rest.substr(4, 4);
    if (type == "IEND" || length > rest.size() - 12) break;
    reader.read(type, rest.substr(8, length));
    rest.remove_prefix(length + 12);
  }
  return reader.metadata();
}

}  // namespace vlmark::data
