#include "src/data/image_jpeg.hpp"

#include <csetjmp>
#include <cstdio>
// jpeglib.h needs the two above and does not include them itself.
#include <jpeglib.h>

#include "src/base/error.hpp"

namespace vlmark::data {
namespace {

/// Owns libjpeg's reader and the text of its first error.
struct Reader {
  Reader() {
    info.err = jpeg_std_error(&errors);
    info.client_data = this;
    errors.error_exit = on_error;
    errors.emit_message = on_message;
    errors.output_message = [](j_common_ptr) {};
  }
  ~Reader() { jpeg_destroy_decompress(&info); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  [[noreturn]] static void on_error(j_common_ptr info) {
    auto* reader = static_cast<Reader*>(info->client_data);
    info->err->format_message(info, reader->message);
    std::longjmp(reader->jump, 1);
  }
  // Level -1 marks corrupt data that libjpeg would fill with a guess; others are traces.
  static void on_message(j_common_ptr info, int level) {
    if (level < 0) on_error(info);
  }

  jpeg_decompress_struct info{};
  jpeg_error_mgr errors{};
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
  jpeg_mem_src(&reader.info, bytes.data(), bytes.size());
  jpeg_read_header(&reader.info, TRUE);
}

void read_rows(Reader& reader, std::uint8_t* out) {
  jpeg_decompress_struct& info = reader.info;
  info.out_color_space = JCS_RGB;
  info.dct_method = JDCT_ISLOW;
  info.do_fancy_upsampling = TRUE;
  jpeg_start_decompress(&info);
  while (info.output_scanline < info.output_height) {
    JSAMPROW row = out + std::size_t{3} * info.output_width * info.output_scanline;
    jpeg_read_scanlines(&info, &row, 1);
  }
  jpeg_finish_decompress(&info);
}

std::string colour_name(J_COLOR_SPACE space) {
  switch (space) {
    case JCS_CMYK:
      return "CMYK";
    case JCS_YCCK:
      return "YCCK";
    default:
      return "colour space " + std::to_string(space) + " of libjpeg";
  }
}

}  // namespace

Image decode_jpeg(std::span<const std::uint8_t> bytes, const std::string& name,
                  std::int64_t max_pixels) {
  Reader reader;
  const auto refuse = [&] {
    return IoError(name + ": cannot decode the JPEG: libjpeg says '" + reader.message +
                   "' (the file is corrupt or truncated). Replace or re-encode it");
  };
  if (!succeeds(reader, [&] { read_header(reader, bytes); })) throw refuse();
  const J_COLOR_SPACE space = reader.info.jpeg_color_space;
  if (space != JCS_GRAYSCALE && space != JCS_RGB && space != JCS_YCbCr) {
    throw IoError(name + ": the JPEG is " + colour_name(space) +
                  " (only RGB and grey are decoded). Convert it to RGB");
  }
  const int width = static_cast<int>(reader.info.image_width);
  const int height = static_cast<int>(reader.info.image_height);
  require_pixel_limit(name, width, height, max_pixels);
  std::vector<std::uint8_t> rgb(std::size_t{3} * reader.info.image_width *
                                reader.info.image_height);
  if (!succeeds(reader, [&] { read_rows(reader, rgb.data()); })) throw refuse();
  return {width, height, std::move(rgb)};
}

}  // namespace vlmark::data
