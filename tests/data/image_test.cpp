#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "src/base/error.hpp"
#include "src/data/image.hpp"
#include "src/data/image_png.hpp"
#include "tests/data/data_files.hpp"
#include "tests/data/picture_encoders.hpp"
#include "tests/support/random_data.hpp"

namespace vlmark::test {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes random_bytes(std::size_t count, std::uint64_t seed, int bound = 256) {
  Bytes bytes;
  for (const int value : integers(count, seed, bound)) {
    bytes.push_back(static_cast<std::uint8_t>(value));
  }
  return bytes;
}

Bytes decoded(const Bytes& bytes) { return data::decode_image(bytes, "test picture").rgb; }

TEST(PngDecoder, GivesBackWhatTheEncoderWrote) {
  for (const auto& [width, height] : {std::pair{1, 1}, {1, 17}, {31, 1}, {97, 53}}) {
    const data::Image image = random_image(width, height, 3);
    EXPECT_TRUE(data::decode_image(data::encode_png(image), "test picture") == image);
  }
}

TEST(PngDecoder, WritesAndReadsFiles) {
  const ScratchDir folder;
  const data::Image image = random_image(13, 7, 4);
  data::write_png(folder.path() / "a.png", image);
  EXPECT_TRUE(data::read_image(folder.path() / "a.png") == image);
}

TEST(PngDecoder, ReadsInterlacedPictures) {
  for (const auto& [width, height] : {std::pair{1, 1}, {3, 2}, {8, 8}, {21, 19}}) {
    const data::Image image = random_image(width, height, 5);
    EXPECT_EQ(decoded(encode_png_kind(width, height, {.interlaced = true}, image.rgb)), image.rgb);
  }
}

TEST(PngDecoder, DropsAlpha) {
  const Bytes rgba = random_bytes(std::size_t{4} * 9 * 5, 6);
  const Bytes rgb = decoded(encode_png_kind(9, 5, {.colour_type = 6}, rgba));
  ASSERT_EQ(rgb.size(), 3u * 9 * 5);
  for (std::size_t i = 0; i < rgb.size(); ++i) ASSERT_EQ(rgb[i], rgba[i / 3 * 4 + i % 3]);
  EXPECT_EQ(decoded(encode_png_kind(2, 1, {.colour_type = 4}, {10, 0, 200, 9})),
            (Bytes{10, 10, 10, 200, 200, 200}));
}

TEST(PngDecoder, SpreadsShallowGreyOverTheFullRange) {
  EXPECT_EQ(decoded(encode_png_kind(2, 1, {.depth = 1, .colour_type = 0}, {0b01000000})),
            (Bytes{0, 0, 0, 255, 255, 255}));
  EXPECT_EQ(decoded(encode_png_kind(4, 1, {.depth = 2, .colour_type = 0}, {0b00011011})),
            (Bytes{0, 0, 0, 85, 85, 85, 170, 170, 170, 255, 255, 255}));
  EXPECT_EQ(decoded(encode_png_kind(2, 1, {.depth = 4, .colour_type = 0}, {0x5f})),
            (Bytes{85, 85, 85, 255, 255, 255}));
}

TEST(PngDecoder, KeepsTheHighByteOfDeepChannels) {
  EXPECT_EQ(decoded(encode_png_kind(1, 1, {.depth = 16}, {0, 255, 0x12, 0xff, 0x80, 0x80})),
            (Bytes{0, 0x12, 0x80}));
  EXPECT_EQ(
      decoded(encode_png_kind(1, 1, {.depth = 16, .colour_type = 6}, {0, 9, 8, 7, 6, 5, 4, 3})),
      (Bytes{0, 8, 6}));
  EXPECT_EQ(decoded(encode_png_kind(1, 1, {.depth = 16, .colour_type = 4}, {0x12, 0xff, 0, 1})),
            (Bytes{0x12, 0x12, 0x12}));
}

TEST(PngDecoder, ClipsDeepGreyAsPillowDoes) {
  for (const bool interlaced : {false, true}) {
    const PngKind kind{.depth = 16, .colour_type = 0, .interlaced = interlaced};
    EXPECT_EQ(decoded(encode_png_kind(3, 1, kind, {0, 128, 1, 0, 0, 255})),
              (Bytes{128, 128, 128, 255, 255, 255, 255, 255, 255}));
  }
}

TEST(PngDecoder, LooksUpPalettesAndIgnoresTheirAlpha) {
  PngKind kind{.depth = 8, .colour_type = 3, .palette = {1, 2, 3, 4, 5, 6}, .transparency = {0, 7}};
  EXPECT_EQ(decoded(encode_png_kind(3, 1, kind, {1, 0, 1})), (Bytes{4, 5, 6, 1, 2, 3, 4, 5, 6}));
  kind.depth = 1;
  EXPECT_EQ(decoded(encode_png_kind(3, 1, kind, {0b10100000})), (Bytes{4, 5, 6, 1, 2, 3, 4, 5, 6}));
}

/// A smooth picture, which JPEG at quality 90 keeps within a few levels.
data::Image smooth_image(int width, int height) {
  data::Image image = data::constant_image(width, height, 0);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < 3; ++c) {
        image.rgb[(static_cast<std::size_t>(y) * width + x) * 3 + c] =
            static_cast<std::uint8_t>(128 + 80 * std::sin(x / 17.0 + y / 23.0 + c));
      }
    }
  }
  return image;
}

void expect_near(const Bytes& actual, const Bytes& expected, int levels) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    ASSERT_NEAR(actual[i], expected[i], levels) << "value " << i;
  }
}

TEST(JpegDecoder, ReadsEveryCommonKind) {
  for (const bool progressive : {false, true}) {
    for (const int step : {1, 2}) {
      const data::Image image = smooth_image(61, 43);
      const Bytes bytes =
          encode_jpeg(61, 43, {.progressive = progressive, .chroma_step = step}, image.rgb);
      expect_near(decoded(bytes), image.rgb, 8);
    }
  }
}

TEST(JpegDecoder, ProgressiveAndBaselineHoldTheSamePixels) {
  const data::Image image = random_image(50, 34, 8);
  EXPECT_EQ(decoded(encode_jpeg(50, 34, {.progressive = true}, image.rgb)),
            decoded(encode_jpeg(50, 34, {.progressive = false}, image.rgb)));
}

TEST(JpegDecoder, RepeatsGreyInAllChannels) {
  const Bytes grey(std::size_t{9} * 5, 77);
  EXPECT_EQ(decoded(encode_jpeg(9, 5, {.channels = 1}, grey)), Bytes(std::size_t{3} * 9 * 5, 77));
}

TEST(JpegDecoder, JoinsInvertedInksWithBlack) {
  // Values are the light that an ink lets through: c * k / 255, one colour a picture.
  for (const auto& [inks, rgb] : {std::pair{Bytes{255, 255, 255, 255}, Bytes{255, 255, 255}},
                                  {Bytes{0, 255, 255, 255}, Bytes{0, 255, 255}},
                                  {Bytes{255, 255, 255, 0}, Bytes{0, 0, 0}},
                                  {Bytes{100, 200, 50, 128}, Bytes{50, 100, 25}}}) {
    Bytes samples, expected;
    for (int i = 0; i < 8 * 8; ++i) {
      samples.insert(samples.end(), inks.begin(), inks.end());
      expected.insert(expected.end(), rgb.begin(), rgb.end());
    }
    EXPECT_EQ(decoded(encode_jpeg(8, 8, {.channels = 4}, samples)), expected);
  }
}

TEST(ConstantImage, HoldsOneValue) {
  const data::Image grey = data::constant_image(3, 2, 128);
  EXPECT_EQ(grey.rgb, Bytes(18, 128));
  EXPECT_THROW(data::constant_image(0, 2, 128), ValueError);
}

}  // namespace
}  // namespace vlmark::test
