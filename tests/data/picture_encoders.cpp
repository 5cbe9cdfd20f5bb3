#include "tests/data/picture_encoders.hpp"

#include <png.h>

#include <cstdio>
#include <cstdlib>
// jpeglib.h needs the two above and does not include them itself.
#include <jpeglib.h>

namespace vlmark::test {
namespace {

// The encoders are given sound input: what they refuse is a defect of the test and ends it.
[[noreturn]] void stop(png_structp, png_const_charp text) {
  std::fprintf(stderr, "libpng: %s\n", text);
  std::abort();
}

struct PngWriter {
  PngWriter() {
    png_set_write_fn(
        png, &bytes,
        [](png_structp self, png_bytep data, std::size_t count) {
          auto* out = static_cast<std::vector<std::uint8_t>*>(png_get_io_ptr(self));
          out->insert(out->end(), data, data + count);
        },
        [](png_structp) {});
  }
  ~PngWriter() { png_destroy_write_struct(&png, &info); }

  std::vector<std::uint8_t> bytes;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, stop, nullptr);
  png_infop info = png_create_info_struct(png);
};

void write_header(PngWriter& writer, int width, int height, const PngKind& kind) {
  png_set_IHDR(writer.png, writer.info, static_cast<png_uint_32>(width),
               static_cast<png_uint_32>(height), kind.depth, kind.colour_type,
               kind.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (!kind.palette.empty()) {
    png_set_PLTE(writer.png, writer.info, reinterpret_cast<png_const_colorp>(kind.palette.data()),
                 static_cast<int>(kind.palette.size() / 3));
  }
  if (!kind.transparency.empty()) {
    png_set_tRNS(writer.png, writer.info, kind.transparency.data(),
                 static_cast<int>(kind.transparency.size()), nullptr);
  }
  png_write_info(writer.png, writer.info);
}

/// The most scans that three channels allow when the lower three bits follow one by one.
std::vector<jpeg_scan_info> fine_scans() {
  std::vector<jpeg_scan_info> scans;
  for (int channel = 0; channel < 3; ++channel) {
    scans.push_back({1, {channel}, 0, 0, 0, 0});
    for (int frequency = 1; frequency < 64; ++frequency) {
      scans.push_back({1, {channel}, frequency, frequency, 0, 3});
      for (int bit = 2; bit >= 0; --bit) {
        scans.push_back({1, {channel}, frequency, frequency, bit + 1, bit});
      }
    }
  }
  return scans;
}

}  // namespace

std::vector<std::uint8_t> encode_png_kind(int width, int height, const PngKind& kind,
                                          const std::vector<std::uint8_t>& rows) {
  PngWriter writer;
  write_header(writer, width, height, kind);
  const int passes = kind.interlaced ? png_set_interlace_handling(writer.png) : 1;
  const std::size_t stride = png_get_rowbytes(writer.png, writer.info);
  if (rows.size() != stride * static_cast<std::size_t>(height))
    stop(writer.png, "rows have another size");
  for (int pass = 0; pass < passes; ++pass) {
    for (int y = 0; y < height; ++y) png_write_row(writer.png, rows.data() + stride * y);
  }
  png_write_end(writer.png, nullptr);
  return writer.bytes;
}

std::vector<std::uint8_t> encode_png_bomb(int width, int height) {
  PngWriter writer;
  png_set_user_limits(writer.png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  write_header(writer, width, height, {});
  const std::uint8_t data[] = {0x78, 0x9c, 0, 0};
  const std::uint8_t name[] = {'I', 'D', 'A', 'T', 0};
  png_write_chunk(writer.png, name, data, sizeof(data));
  return writer.bytes;
}

std::vector<std::uint8_t> encode_jpeg(int width, int height, const JpegKind& kind,
                                      const std::vector<std::uint8_t>& samples) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* memory = nullptr;
  unsigned long size = 0;  // NOLINT: libjpeg's type
  jpeg_mem_dest(&info, &memory, &size);
  info.image_width = static_cast<JDIMENSION>(width);
  info.image_height = static_cast<JDIMENSION>(height);
  info.input_components = kind.channels;
  constexpr J_COLOR_SPACE spaces[] = {JCS_GRAYSCALE, JCS_UNKNOWN, JCS_RGB, JCS_CMYK};
  info.in_color_space = spaces[kind.channels - 1];
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, 90, TRUE);
  if (kind.progressive) jpeg_simple_progression(&info);
  const std::vector<jpeg_scan_info> scans = fine_scans();
  if (kind.fine_scans) {
    info.scan_info = scans.data();
    info.num_scans = static_cast<int>(scans.size());
  }
  if (kind.channels == 3) {
    info.comp_info[0].h_samp_factor = info.comp_info[0].v_samp_factor = kind.chroma_step;
  }
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < info.image_height) {
    auto* row = const_cast<JSAMPROW>(samples.data()) +
                static_cast<std::size_t>(info.next_scanline) * width * kind.channels;
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  std::vector<std::uint8_t> bytes(memory, memory + size);
  std::free(memory);
  return bytes;
}

}  // namespace vlmark::test
