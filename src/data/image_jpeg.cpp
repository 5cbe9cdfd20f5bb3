#include "src/data/image_jpeg.hpp"

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdio>
#include <string_view>
// jpeglib.h needs <cstdio> and does not include it itself.
#include <jerror.h>
#include <jpeglib.h>

#include "src/base/error.hpp"
#include "src/data/image_orientation.hpp"

namespace vlmark::data {
namespace {

// A progressive picture takes about ten scans, each of which walks the whole picture; a small file
// could ask for millions.
constexpr int max_scans = 500;

// Warnings that leave every pixel as its encoder meant it: bytes between segments, and versions or
// parameters that are not as the standard wants them.
constexpr std::array<int, 4> harmless = {JWRN_EXTRANEOUS_DATA, JWRN_ADOBE_XFORM, JWRN_JFIF_MAJOR,
                                         JWRN_NOT_SEQUENTIAL};

/// Owns libjpeg's reader and the text of its first error.
struct Reader {
  Reader() {
    info.err = jpeg_std_error(&errors);
    info.client_data = this;
    errors.error_exit = on_error;
    errors.emit_message = on_message;
    errors.output_message = [](j_common_ptr) {};
    progress.progress_monitor = on_progress;
  }
  ~Reader() { jpeg_destroy_decompress(&info); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  [[noreturn]] static void on_error(j_common_ptr info) {
    auto* reader = static_cast<Reader*>(info->client_data);
    info->err->format_message(info, reader->message);
    std::longjmp(reader->jump, 1);
  }
  // Level -1 marks corrupt data, most of which libjpeg would fill with a guess; others are traces.
  static void on_message(j_common_ptr info, int level) {
    const auto* end = harmless.end();
    if (level < 0 && std::find(harmless.begin(), end, info->err->msg_code) == end) on_error(info);
  }
  static void on_progress(j_common_ptr info) {
    auto* reader = static_cast<Reader*>(info->client_data);
    if (reader->info.input_scan_number <= max_scans) return;
    std::snprintf(reader->message, sizeof(reader->message), "more than %d scans", max_scans);
    std::longjmp(reader->jump, 1);
  }

  jpeg_decompress_struct info{};
  jpeg_error_mgr errors{};
  jpeg_progress_mgr progress{};
  std::jmp_buf jump;
  char message[JMSG_LENGTH_MAX] = "";
};

/// Runs calls into libjpeg; false where it reported an error. libjpeg leaves by longjmp, so `body`
/// must not own anything with a destructor, nor throw.
template <class Body>
[[gnu::noinline]] bool succeeds(Reader& reader, const Body& body) {
  if (setjmp(reader.jump) != 0) return false;
  body();
  return true;
}

void read_header(Reader& reader, std::span<const std::uint8_t> bytes) {
  jpeg_create_decompress(&reader.info);
  reader.info.progress = &reader.progress;
  jpeg_mem_src(&reader.info, bytes.data(), bytes.size());
  jpeg_save_markers(&reader.info, JPEG_APP0 + 1, 0xffff);  // EXIF and XMP
  jpeg_read_header(&reader.info, TRUE);
}

/// EXIF data may be spread over several markers; of XMP data the last count.
Metadata read_metadata(const Reader& reader) {
  using std::string_view_literals::operator""sv;
  constexpr std::string_view exif = "Exif\0\0"sv, xmp = "http://ns.adobe.com/xap/1.0/\0"sv;
  Metadata metadata;
  for (auto* marker = reader.info.marker_list; marker != nullptr; marker = marker->next) {
    std::string_view content(reinterpret_cast<const char*>(marker->data), marker->data_length);
    if (content.substr(0, exif.size()) == exif) {
      content.remove_prefix(metadata.exif.empty() ? 0 : exif.size());
      metadata.exif.insert(metadata.exif.end(), content.begin(), content.end());
    } else if (content.substr(0, xmp.size()) == xmp) {
      metadata.xmp = content.substr(xmp.size());
    }
  }
  return metadata;
}

void read_rows(Reader& reader, std::uint8_t* out) {
  jpeg_decompress_struct& info = reader.info;
  jpeg_start_decompress(&info);
  const std::size_t row_bytes = std::size_t{info.output_width} * info.out_color_components;
  while (info.output_scanline < info.output_height) {
    JSAMPROW row = out + row_bytes * info.output_scanline;
    jpeg_read_scanlines(&info, &row, 1);
  }
  jpeg_finish_decompress(&info);
}

/// a * b / 255, rounded: exact for bytes.
int times_share(int a, int b) {
  const int product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

/// Inverted CMYK to RGB in place: a value is the share of light that its ink lets through.
void join_black(std::vector<std::uint8_t>& pixels) {
  std::uint8_t* out = pixels.data();
  for (std::size_t i = 0; i < pixels.size(); i += 4, out += 3) {
    const int light = pixels[i + 3];
    for (std::size_t c = 0; c < 3; ++c) {
      out[c] = static_cast<std::uint8_t>(light - times_share(255 - pixels[i + c], light));
    }
  }
  pixels.resize(pixels.size() / 4 * 3);
}

}  // namespace

Image decode_jpeg(std::span<const std::uint8_t> bytes, const std::string& name,
                  std::int64_t max_pixels) {
  Reader reader;
  jpeg_decompress_struct& info = reader.info;
  const auto refuse = [&] {
    return IoError(name + ": cannot decode the JPEG: libjpeg says '" + reader.message +
                   "' (the file is corrupt or truncated). Replace or re-encode it");
  };
  if (!succeeds(reader, [&] { read_header(reader, bytes); })) throw refuse();
  if (info.num_components != 1 && info.num_components != 3 && info.num_components != 4) {
    throw IoError(name + ": the JPEG has " + std::to_string(info.num_components) +
                  " channels (1, 3 and 4 are decoded: grey, colour, CMYK). Convert it to RGB");
  }
  const int width = static_cast<int>(info.image_width);
  const int height = static_cast<int>(info.image_height);
  require_pixel_limit(name, width, height, max_pixels);
  const int orientation = orientation_of(read_metadata(reader), name);
  info.out_color_space = info.num_components == 4 ? JCS_CMYK : JCS_RGB;
  info.dct_method = JDCT_ISLOW;
  info.do_fancy_upsampling = TRUE;
  std::vector<std::uint8_t> pixels(std::size_t{info.image_width} * info.image_height *
                                   (info.num_components == 4 ? 4 : 3));
  if (!succeeds(reader, [&] { read_rows(reader, pixels.data()); })) throw refuse();
  if (info.num_components == 4) join_black(pixels);
  return turn_upright({width, height, std::move(pixels)}, orientation);
}

}  // namespace vlmark::data
