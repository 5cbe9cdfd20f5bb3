#include "src/data/image_webp.hpp"

#include <webp/decode.h>
#include <webp/demux.h>

#include <algorithm>
#include <memory>
#include <string_view>

#include "src/base/error.hpp"
#include "src/data/image_orientation.hpp"

namespace vlmark::data {
namespace {

using Demuxer = std::unique_ptr<WebPDemuxer, decltype(&WebPDemuxDelete)>;

/// A frame and the iterator's hold on it.
struct FirstFrame {
  explicit FirstFrame(const WebPDemuxer* demuxer)
      : found(WebPDemuxGetFrame(demuxer, 1, &frame) != 0) {}
  ~FirstFrame() { WebPDemuxReleaseIterator(&frame); }
  FirstFrame(const FirstFrame&) = delete;
  FirstFrame& operator=(const FirstFrame&) = delete;

  WebPIterator frame{};
  bool found;
};

const char* text_of(VP8StatusCode status) {
  switch (status) {
    case VP8_STATUS_OUT_OF_MEMORY:
      return "out of memory";
    case VP8_STATUS_BITSTREAM_ERROR:
      return "bitstream error";
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      return "unsupported feature";
    case VP8_STATUS_SUSPENDED:
    case VP8_STATUS_NOT_ENOUGH_DATA:
      return "the data end before the picture does";
    default:
      return "invalid parameter";
  }
}

/// "RIFF", the size of what follows these eight bytes, "WEBP".
std::size_t claimed_bytes(std::span<const std::uint8_t> bytes) {
  std::size_t size = 0;
  for (int i = 7; i >= 4; --i) size = size << 8 | bytes[static_cast<std::size_t>(i)];
  return size + 8;
}

/// Refuses the canvas that the extended header names: libwebp calls one of 2^32 pixels corrupt,
/// which would hide the reason.
void require_canvas_limit(std::span<const std::uint8_t> bytes, const std::string& name,
                          std::int64_t max_pixels) {
  constexpr std::size_t sizes = 24;  // three bytes each, less one
  constexpr std::string_view extended = "VP8X";
  if (bytes.size() < sizes + 6 ||
      !std::equal(extended.begin(), extended.end(), bytes.data() + 12)) {
    return;
  }
  const auto side = [&](std::size_t at) {
    return 1 + (std::int64_t{bytes[at]} | bytes[at + 1] << 8 | bytes[at + 2] << 16);
  };
  require_pixel_limit(name, side(sizes), side(sizes + 3), max_pixels);
}

/// Decodes the frame into its place on the canvas `image`.
VP8StatusCode decode_frame(const WebPIterator& frame, Image& image) {
  WebPDecoderConfig config;
  if (WebPInitDecoderConfig(&config) == 0) return VP8_STATUS_INVALID_PARAM;
  const std::size_t stride = std::size_t{3} * static_cast<std::size_t>(image.width);
  const std::size_t offset = stride * static_cast<std::size_t>(frame.y_offset) +
                             std::size_t{3} * static_cast<std::size_t>(frame.x_offset);
  config.output.colorspace = MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA.rgba = image.rgb.data() + offset;
  config.output.u.RGBA.stride = static_cast<int>(stride);
  config.output.u.RGBA.size = image.rgb.size() - offset;
  return WebPDecode(frame.fragment.bytes, frame.fragment.size, &config);
}

std::span<const std::uint8_t> chunk(const WebPDemuxer* demuxer, const char* type) {
  WebPChunkIterator iterator;
  if (WebPDemuxGetChunk(demuxer, type, 1, &iterator) == 0) return {};
  const std::span<const std::uint8_t> content(iterator.chunk.bytes, iterator.chunk.size);
  WebPDemuxReleaseChunkIterator(&iterator);  // the content lies in the file's own bytes
  return content;
}

int orientation_in(const WebPDemuxer* demuxer, const std::string& name) {
  const auto exif = chunk(demuxer, "EXIF"), xmp = chunk(demuxer, "XMP ");
  return orientation_of({{exif.begin(), exif.end()}, {xmp.begin(), xmp.end()}}, name);
}

}  // namespace

Image decode_webp(std::span<const std::uint8_t> bytes, const std::string& name,
                  std::int64_t max_pixels) {
  const auto refuse = [&](const std::string& problem) {
    return IoError(name + ": cannot decode the WebP: " + problem +
                   " (the file is corrupt or truncated). Replace or re-encode it");
  };
  if (bytes.size() < claimed_bytes(bytes)) {
    throw refuse("it holds " + std::to_string(bytes.size()) + " bytes of the " +
                 std::to_string(claimed_bytes(bytes)) + " that its header names");
  }
  require_canvas_limit(bytes, name, max_pixels);
  const WebPData data{bytes.data(), bytes.size()};
  const Demuxer demuxer(WebPDemux(&data), &WebPDemuxDelete);
  if (!demuxer) throw refuse("libwebp finds no whole picture in its chunks");
  const std::uint32_t width = WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_WIDTH);
  const std::uint32_t height = WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_HEIGHT);
  require_pixel_limit(name, width, height, max_pixels);
  const FirstFrame first(demuxer.get());
  if (!first.found || width == 0 || height == 0) {
    throw refuse("no frame in a canvas of " + std::to_string(width) + "x" + std::to_string(height) +
                 " pixels");
  }
  const int orientation = orientation_in(demuxer.get(), name);
  Image image{static_cast<int>(width), static_cast<int>(height),
              std::vector<std::uint8_t>(std::size_t{3} * width * height)};
  const VP8StatusCode status = decode_frame(first.frame, image);
  if (status != VP8_STATUS_OK) throw refuse(std::string("libwebp says '") + text_of(status) + "'");
  return turn_upright(std::move(image), orientation);
}

}  // namespace vlmark::data
