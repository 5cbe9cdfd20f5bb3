#include "src/data/image_png.hpp"

#include <png.h>

#include <algorithm>
#include <cerrno>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "src/base/error.hpp"
#include "src/data/image_png_chunks.hpp"

namespace vlmark::data {
namespace {

/// Owns libpng's reader and the text of its first error.
struct Reader {
  explicit Reader(std::span<const std::uint8_t> source)
      : bytes(source),
        png(png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning)),
        info(png == nullptr ? nullptr : png_create_info_struct(png)) {}
  ~Reader() { png_destroy_read_struct(&png, &info, nullptr); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  [[noreturn]] static void on_error(png_structp png, png_const_charp text) {
    auto* reader = static_cast<Reader*>(png_get_error_ptr(png));
    std::snprintf(reader->message, sizeof(reader->message), "%s", text);
    png_longjmp(png, 1);
  }
  // libpng warns of what changes no pixel, such as bytes behind the last one.
  static void on_warning(png_structp, png_const_charp) {}
  static void on_read(png_structp png, png_bytep out, std::size_t count) {
    auto* reader = static_cast<Reader*>(png_get_io_ptr(png));
    if (count > reader->bytes.size() - reader->position) {
      png_error(png, "the data end before the picture does");
    }
    std::memcpy(out, reader->bytes.data() + reader->position, count);
    reader->position += count;
  }

  std::span<const std::uint8_t> bytes;
  std::size_t position = 0;
  char message[256] = "out of memory";
  png_structp png;
  png_infop info;
};

/// Runs calls into libpng; false where it reported an error. libpng leaves by longjmp, so `body`
/// must not own anything with a destructor, nor throw.
template <class Body>
[[gnu::noinline]] bool succeeds(png_structp png, const Body& body) {
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  body();
  return true;
}

struct Header {
  png_uint_32 width = 0, height = 0;
  bool wide_grey = false;  ///< 16-bit grey without alpha
  std::size_t row_bytes = 0;
};

void read_header(Reader& reader, Header& header) {
  png_set_read_fn(reader.png, &reader, Reader::on_read);
  // Only what holds pixels is parsed, so that no chunk is refused for its size; checksums count
  // everywhere, as metadata tell which side is up. The picture's own size is judged by decode_png.
  png_set_keep_unknown_chunks(reader.png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
  png_set_chunk_malloc_max(reader.png, 0);
  png_set_crc_action(reader.png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
  png_set_user_limits(reader.png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  png_read_info(reader.png, reader.info);
  header.width = png_get_image_width(reader.png, reader.info);
  header.height = png_get_image_height(reader.png, reader.info);
}

/// libpng keeps a few rows of its own, so that a single row of the largest picture would take
/// gigabytes. The model refuses such a shape in any case.
void require_side_limit(const std::string& name, const Header& header) {
  constexpr png_uint_32 limit = 1'000'000;
  if (header.width <= limit && header.height <= limit) return;
  throw IoError(name + ": PNG of " + std::to_string(header.width) + "x" +
                std::to_string(header.height) + " pixels, a side may have " +
                std::to_string(limit) + " (it may be a decompression bomb). Cut it into pieces");
}

/// Asks libpng for 8-bit RGB rows, except for 16-bit grey (see decode_image).
void set_transforms(Reader& reader, Header& header) {
  const png_structp png = reader.png;
  const int depth = png_get_bit_depth(png, reader.info);
  const int type = png_get_color_type(png, reader.info);
  header.wide_grey = type == PNG_COLOR_TYPE_GRAY && depth == 16;
  if (!header.wide_grey) {
    if (type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
    if (type == PNG_COLOR_TYPE_GRAY && depth < 8) png_set_expand_gray_1_2_4_to_8(png);
    if (depth == 16) png_set_strip_16(png);
    png_set_strip_alpha(png);
    if ((type & PNG_COLOR_MASK_COLOR) == 0) png_set_gray_to_rgb(png);
  }
  png_set_interlace_handling(png);
  png_read_update_info(png, reader.info);
  header.row_bytes = png_get_rowbytes(png, reader.info);
}

void read_rows(Reader& reader, const Header& header, std::uint8_t* out) {
  const int passes = png_get_interlace_type(reader.png, reader.info) == PNG_INTERLACE_ADAM7
                         ? PNG_INTERLACE_ADAM7_PASSES
                         : 1;
  for (int pass = 0; pass < passes; ++pass) {
    for (png_uint_32 y = 0; y < header.height; ++y) {
      png_read_row(reader.png, out + y * header.row_bytes, nullptr);
    }
  }
  png_read_end(reader.png, nullptr);  // a file cut after its last pixel is an error as well
}

/// Big-endian 16-bit grey to RGB.
std::vector<std::uint8_t> clip_grey(const std::vector<std::uint8_t>& wide) {
  std::vector<std::uint8_t> rgb(wide.size() / 2 * 3);
  for (std::size_t i = 0; i < wide.size() / 2; ++i) {
    const std::uint8_t value = wide[2 * i] != 0 ? 255 : wide[2 * i + 1];
    std::fill_n(rgb.begin() + static_cast<std::ptrdiff_t>(3 * i), 3, value);
  }
  return rgb;
}

}  // namespace

Image decode_png(std::span<const std::uint8_t> bytes, const std::string& name,
                 std::int64_t max_pixels) {
  Reader reader(bytes);
  const auto refuse = [&] {
    return IoError(name + ": cannot decode the PNG: libpng says '" + reader.message +
                   "' (the file is corrupt or truncated). Replace it");
  };
  Header header;
  if (reader.info == nullptr || !succeeds(reader.png, [&] { read_header(reader, header); })) {
    throw refuse();
  }
  require_pixel_limit(name, header.width, header.height, max_pixels);
  require_side_limit(name, header);
  const int orientation = orientation_of(read_png_metadata(bytes, name), name);
  if (!succeeds(reader.png, [&] { set_transforms(reader, header); })) throw refuse();
  const std::size_t expected = (header.wide_grey ? 2 : 3) * std::size_t{header.width};
  if (header.row_bytes != expected) {
    throw IoError(name + ": libpng offers rows of " + std::to_string(header.row_bytes) +
                  " bytes instead of " + std::to_string(expected) +
                  " (an unknown kind of PNG). Convert it to 8-bit RGB");
  }
  std::vector<std::uint8_t> pixels(header.row_bytes * header.height);
  if (!succeeds(reader.png, [&] { read_rows(reader, header, pixels.data()); })) throw refuse();
  return turn_upright({static_cast<int>(header.width), static_cast<int>(header.height),
                       header.wide_grey ? clip_grey(pixels) : std::move(pixels)},
                      orientation);
}

std::vector<std::uint8_t> encode_png(const Image& image) {
  require_image("encode_png", image);
  png_image header{};
  header.version = PNG_IMAGE_VERSION;
  header.width = static_cast<png_uint_32>(image.width);
  header.height = static_cast<png_uint_32>(image.height);
  header.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(header);
  std::vector<std::uint8_t> bytes(size);
  if (png_image_write_to_memory(&header, bytes.data(), &size, 0, image.rgb.data(), 0, nullptr) ==
      0) {
    throw IoError(std::string("encode_png: libpng says '") + header.message +
                  "' (the picture was not encoded). Check its size");
  }
  bytes.resize(size);
  return bytes;
}

void write_png(const std::filesystem::path& file, const Image& image) {
  const std::vector<std::uint8_t> bytes = encode_png(image);
  std::ofstream stream(file, std::ios::binary);
  stream.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  stream.close();
  if (!stream) {
    throw IoError(file.string() + ": cannot write " + std::to_string(bytes.size()) + " bytes: " +
                  std::strerror(errno) + " (the picture is incomplete). Check folder and space");
  }
}

}  // namespace vlmark::data
