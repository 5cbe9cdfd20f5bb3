#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/base/error.hpp"
#include "src/data/image.hpp"
#include "src/data/image_png.hpp"
#include "tests/data/data_files.hpp"
#include "tests/data/picture_encoders.hpp"

namespace vlmark::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;
using Bytes = std::vector<std::uint8_t>;

auto decoding(const Bytes& bytes, std::int64_t max_pixels = data::max_image_pixels) {
  return [bytes, max_pixels] { data::decode_image(bytes, "broken picture", max_pixels); };
}

Bytes sound_jpeg(bool progressive) {
  return encode_jpeg(40, 30, {.progressive = progressive}, random_image(40, 30, 1).rgb);
}

TEST(PictureFaults, EmptyAndForeignDataAreNamed) {
  EXPECT_THAT(decoding({}),
              ThrowsMessage<IoError>(HasSubstr("broken picture: the picture is empty")));
  const std::pair<std::string, std::string> files[] = {
      {"GIF89a", "a GIF, it starts with 47 49 46 38 39 61 (PNG, JPEG and WebP are decoded"},
      {"BM1234", "a BMP, "},
      {std::string("II*\0\10\0\0\0", 8), "a TIFF, "},
      {std::string("MM\0*\0\0\0\10", 8), "a TIFF, "},
      {std::string("\0\0\0\x1c"
                   "ftypavif",
                   12),
       "an AVIF, "},
      {std::string("\0\0\0\x1c"
                   "ftypheic",
                   12),
       "a HEIF, "},
      {"<!DOCTYPE html>", "a text, such as SVG or HTML, "},
      {"\xff", "of no known format, it starts with ff ("},
      {"RIFF", "of no known format, it starts with 52 49 46 46 ("},
      {std::string(5000, '\0'), "of no known format, it starts with 00 00 00 00 00 00 00 00 ("},
  };
  for (const auto& [bytes, text] : files) {
    EXPECT_THAT(decoding({bytes.begin(), bytes.end()}),
                ThrowsMessage<IoError>(AllOf(HasSubstr("broken picture: the picture is " + text),
                                             HasSubstr("Convert it to one of them"))));
  }
}

TEST(PictureFaults, EveryPrefixOfAPngIsRefused) {
  for (const bool interlaced : {false, true}) {
    const Bytes bytes =
        encode_png_kind(7, 5, {.interlaced = interlaced}, random_image(7, 5, 2).rgb);
    for (std::size_t size = 8; size < bytes.size(); ++size) {
      EXPECT_THAT(decoding({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)}),
                  ThrowsMessage<IoError>(HasSubstr("libpng says")))
          << size << " of " << bytes.size() << " bytes";
    }
  }
}

TEST(PictureFaults, EveryPrefixOfAJpegIsRefused) {
  for (const bool progressive : {false, true}) {
    const Bytes bytes = sound_jpeg(progressive);
    for (std::size_t size = 3; size < bytes.size(); ++size) {
      EXPECT_THAT(decoding({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)}),
                  ThrowsMessage<IoError>(HasSubstr("libjpeg says")))
          << size << " of " << bytes.size() << " bytes";
    }
  }
}

TEST(PictureFaults, AChangedByteInAPngIsRefusedOrHarmless) {
  const data::Image image = random_image(7, 5, 3);
  const Bytes bytes = data::encode_png(image);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (const int flip : {1, 0x80, 0xff}) {
      Bytes changed = bytes;
      changed[i] = static_cast<std::uint8_t>(changed[i] ^ flip);
      try {
        EXPECT_TRUE(data::decode_image(changed, "changed") == image) << "byte " << i;
      } catch (const IoError&) {
      }
    }
  }
}

TEST(PictureFaults, AChangedByteInAJpegNeverCrashes) {
  for (const bool progressive : {false, true}) {
    const Bytes bytes = sound_jpeg(progressive);
    int refused = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      Bytes changed = bytes;
      changed[i] = static_cast<std::uint8_t>(~changed[i]);
      try {
        // A JPEG carries no checksum: wrong coefficients that parse cannot be told from right ones.
        data::decode_image(changed, "changed", 1 << 20);
      } catch (const IoError&) {
        ++refused;
      }
    }
    EXPECT_GT(refused, 20);
  }
}

TEST(PictureFaults, AJpegOfTwoChannelsIsRefused) {
  EXPECT_THAT(decoding(encode_jpeg(8, 8, {.channels = 2}, Bytes(128, 9))),
              ThrowsMessage<IoError>(HasSubstr("broken picture: the JPEG has 2 channels")));
}

TEST(PictureFaults, HarmlessWarningsOfJpegDoNotRefuseIt) {
  const Bytes sound = sound_jpeg(false);
  const data::Image image = data::decode_image(sound, "sound");
  Bytes stray = sound;  // bytes between the header's marker and the next one
  stray.insert(stray.begin() + 2 + 2 + stray.at(5), {0, 0, 0});
  EXPECT_TRUE(data::decode_image(stray, "stray bytes") == image);
  Bytes newer = sound;
  newer.at(11) = 9;  // JFIF's major version
  EXPECT_TRUE(data::decode_image(newer, "version 9") == image);
}

TEST(PictureFaults, EndlessScansAreRefused) {
  const Bytes bytes = encode_jpeg(40, 30, {.fine_scans = true}, random_image(40, 30, 1).rgb);
  EXPECT_THAT(decoding(bytes), ThrowsMessage<IoError>(HasSubstr("'more than 500 scans'")));
}

TEST(PictureFaults, BombsAreRefusedBeforeTheyUnfold) {
  EXPECT_THAT(decoding(encode_png_bomb(600'000, 600'000)),
              ThrowsMessage<IoError>(AllOf(HasSubstr("600000x600000"), HasSubstr("178956970"))));
  Bytes jpeg = sound_jpeg(false);
  std::size_t frame = 2;  // walk the segments to the frame header, which holds the size
  while (jpeg.at(frame + 1) != 0xc0) frame += 2u + jpeg.at(frame + 2) * 256u + jpeg.at(frame + 3);
  for (const std::size_t i : {5, 6, 7, 8}) jpeg.at(frame + i) = 0xea;
  EXPECT_THAT(decoding(jpeg),
              ThrowsMessage<IoError>(AllOf(HasSubstr("60138x60138"), HasSubstr("178956970"))));
}

TEST(PictureFaults, EndlessRowsAreRefused) {
  EXPECT_THAT(decoding(encode_png_bomb(1'000'001, 100)),
              ThrowsMessage<IoError>(AllOf(HasSubstr("1000001x100"), HasSubstr("1000000"))));
}

TEST(PictureFaults, TheLimitItselfIsAllowed) {
  const Bytes png = data::encode_png(random_image(6, 5, 4));
  EXPECT_NO_THROW(decoding(png, 30)());
  EXPECT_THAT(decoding(png, 29), ThrowsMessage<IoError>(HasSubstr("limit of 29 pixels")));
}

TEST(PictureFaults, FilesAreNamed) {
  const ScratchDir folder;
  const auto reading = [&](const std::string& name) {
    return [file = folder.path() / name] { data::read_image(file); };
  };
  EXPECT_THAT(reading("missing.png"),
              ThrowsMessage<IoError>(AllOf(HasSubstr("missing.png"), HasSubstr("No such file"))));
  EXPECT_THAT(reading("."), ThrowsMessage<IoError>(HasSubstr("it is a folder")));
  write_file(folder.path() / "cut.jpg", Bytes{0xff, 0xd8, 0xff});
  EXPECT_THAT(reading("cut.jpg"), ThrowsMessage<IoError>(HasSubstr("cut.jpg: cannot decode")));
  write_file(folder.path() / "picture.jpg", data::encode_png(random_image(3, 2, 6)));
  EXPECT_TRUE(data::read_image(folder.path() / "picture.jpg") == random_image(3, 2, 6));
}

TEST(PictureFaults, WritingRefusesInconsistentPicturesAndMissingFolders) {
  EXPECT_THROW(data::encode_png({2, 2, Bytes(11)}), ShapeError);
  EXPECT_THROW(data::encode_png({0, 0, {}}), ShapeError);
  EXPECT_THAT([] { data::write_png("no/such/folder/a.png", random_image(1, 1, 5)); },
              ThrowsMessage<IoError>(HasSubstr("no/such/folder/a.png: cannot write")));
}

}  // namespace
}  // namespace vlmark::test
