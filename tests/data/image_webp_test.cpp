#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "src/base/error.hpp"
#include "src/data/image.hpp"
#include "tests/data/data_files.hpp"

namespace vlmark::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;
using Bytes = std::vector<std::uint8_t>;

Bytes stored(const std::string& name) {
  return read_file(source_dir() / "tests" / "data" / "pictures" / name);
}

auto decoding(const Bytes& bytes, std::int64_t max_pixels = data::max_image_pixels) {
  return [bytes, max_pixels] { data::decode_image(bytes, "broken.webp", max_pixels); };
}

constexpr const char* names[] = {"lossy.webp", "lossy_alpha.webp", "lossless.webp", "animated.webp",
                                 "exif_6.webp"};

TEST(WebpFaults, EveryPrefixIsRefused) {
  for (const char* name : names) {
    const Bytes bytes = stored(name);
    for (std::size_t size = 12; size < bytes.size(); ++size) {
      EXPECT_THAT(
          decoding({bytes.begin(), bytes.begin() + static_cast<long>(size)}),
          ThrowsMessage<IoError>(AllOf(HasSubstr("broken.webp: cannot decode the WebP: it holds " +
                                                 std::to_string(size) + " bytes of the "),
                                       HasSubstr(std::to_string(bytes.size())))));
    }
  }
}

/// Cut within its chunks, with a header that says so.
TEST(WebpFaults, AFileThatOnlyItsChunksFindTooShortIsRefused) {
  for (const char* name : names) {
    const Bytes bytes = stored(name);
    for (std::size_t size = 20; size < bytes.size(); size += 2) {
      Bytes cut(bytes.begin(), bytes.begin() + static_cast<long>(size));
      for (std::size_t i = 0; i < 4; ++i) {
        cut[4 + i] = static_cast<std::uint8_t>((size - 8) >> (8 * i));
      }
      try {
        data::decode_image(cut, "broken.webp");  // metadata behind the pixels may be left out
      } catch (const IoError& error) {
        EXPECT_THAT(error.what(), HasSubstr("broken.webp: cannot decode the WebP: "));
      }
    }
  }
}

TEST(WebpFaults, AnotherRiffFileIsNamedByItsBytes) {
  Bytes sound = stored("lossy.webp");
  std::copy_n("WAVE", 4, sound.begin() + 8);
  EXPECT_THAT(decoding(sound), ThrowsMessage<IoError>(HasSubstr("starts with 52 49 46 46")));
}

TEST(WebpFaults, CanvasBombsAreRefusedBeforeTheyUnfold) {
  Bytes bytes = stored("part_of_canvas.webp");
  std::fill_n(bytes.begin() + 24, 6, std::uint8_t{0xff});  // width - 1 and height - 1
  EXPECT_THAT(decoding(bytes), ThrowsMessage<IoError>(AllOf(HasSubstr("16777216x16777216 pixels"),
                                                            HasSubstr("178956970 pixels"))));
  bytes = stored("part_of_canvas.webp");
  EXPECT_NO_THROW(decoding(bytes, 30 * 20)());
  EXPECT_THAT(decoding(bytes, 30 * 20 - 1),
              ThrowsMessage<IoError>(AllOf(HasSubstr("30x20"), HasSubstr("limit of 599 pixels"))));
}

TEST(WebpFaults, PixelLimitsHoldForPlainFilesToo) {
  for (const char* name : {"lossy.webp", "lossless.webp"}) {
    EXPECT_NO_THROW(decoding(stored(name), 21 * 13)());
    EXPECT_THAT(decoding(stored(name), 21 * 13 - 1),
                ThrowsMessage<IoError>(AllOf(HasSubstr("21x13"), HasSubstr("272 pixels"))));
  }
}

}  // namespace
}  // namespace vlmark::test
