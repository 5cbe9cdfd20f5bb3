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
  EXPECT_THAT(decoding({'G', 'I', 'F', '8', '9', 'a'}),
              ThrowsMessage<IoError>(HasSubstr("neither PNG nor JPEG, it starts with 47 49 46")));
  EXPECT_THAT(decoding({0xff}), ThrowsMessage<IoError>(HasSubstr("neither PNG nor JPEG")));
  EXPECT_THAT(decoding(Bytes(5000, 0)), ThrowsMessage<IoError>(HasSubstr("neither PNG nor JPEG")));
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

TEST(PictureFaults, CmykIsRefusedByName) {
  EXPECT_THAT(decoding(encode_jpeg(8, 8, {.channels = 4}, Bytes(256, 9))),
              ThrowsMessage<IoError>(HasSubstr("broken picture: the JPEG is CMYK")));
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
}

TEST(PictureFaults, WritingRefusesInconsistentPicturesAndMissingFolders) {
  EXPECT_THROW(data::encode_png({2, 2, Bytes(11)}), ShapeError);
  EXPECT_THROW(data::encode_png({0, 0, {}}), ShapeError);
  EXPECT_THAT([] { data::write_png("no/such/folder/a.png", random_image(1, 1, 5)); },
              ThrowsMessage<IoError>(HasSubstr("no/such/folder/a.png: cannot write")));
}

}  // namespace
}  // namespace vlmark::test
