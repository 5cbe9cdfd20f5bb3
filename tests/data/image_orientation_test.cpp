#include "src/data/image_orientation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/base/error.hpp"
#include "tests/data/data_files.hpp"

namespace vlmark::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;
using Bytes = std::vector<std::uint8_t>;

/// A grey picture whose pixels are the digits of `rows`.
data::Image digits(int width, const std::string& rows) {
  data::Image image{width, static_cast<int>(rows.size()) / width, {}};
  for (const char digit : rows) {
    image.rgb.insert(image.rgb.end(), 3, static_cast<std::uint8_t>(digit));
  }
  return image;
}

/// TIFF with one entry, little-endian: the tag of orientation with this type, count and value.
Bytes exif(int type, int count, int value) {
  return {'I',
          'I',
          42,
          0,
          8,
          0,
          0,
          0,
          1,
          0,
          0x12,
          0x01,
          static_cast<std::uint8_t>(type),
          0,
          static_cast<std::uint8_t>(count),
          0,
          0,
          0,
          static_cast<std::uint8_t>(value),
          0,
          0,
          0,
          0,
          0,
          0,
          0};
}

int orientation(const Bytes& bytes, const std::string& xmp = "") {
  return data::orientation_of({bytes, xmp}, "turned.jpg");
}

TEST(TurnUpright, FollowsTheEightOrientationsOfExif) {
  // What is seen upright: 123 over 456. How it is stored, by where EXIF says that row 0 and
  // column 0 of the stored picture lie.
  const data::Image upright = digits(3, "123456");
  const std::pair<int, data::Image> stored[] = {
      {1, digits(3, "123456")},  // top, left
      {2, digits(3, "321654")},  // top, right
      {3, digits(3, "654321")},  // bottom, right
      {4, digits(3, "456123")},  // bottom, left
      {5, digits(2, "142536")},  // left, top
      {6, digits(2, "362514")},  // right, top
      {7, digits(2, "635241")},  // right, bottom
      {8, digits(2, "415263")},  // left, bottom
  };
  for (const auto& [orientation, image] : stored) {
    EXPECT_TRUE(data::turn_upright(image, orientation) == upright) << orientation;
  }
  for (const int other : {-1, 0, 9, 1000}) {
    EXPECT_TRUE(data::turn_upright(upright, other) == upright) << other;
  }
}

TEST(TurnUpright, KeepsTheChannelsOfAPixelTogether) {
  const data::Image image = random_image(5, 3, 9);
  const data::Image turned = data::turn_upright(image, 6);
  for (std::size_t c = 0; c < 3; ++c) {  // the top left corner goes to the top right
    EXPECT_EQ(turned.rgb[2u * 3 + c], image.rgb[c]);
  }
}

TEST(Orientation, IsReadFromWholeNumbersOfAnyWidth) {
  EXPECT_EQ(orientation({}), 1);
  EXPECT_EQ(orientation(exif(3, 1, 6)), 6);   // SHORT, as the standard wants it
  EXPECT_EQ(orientation(exif(4, 1, 8)), 8);   // LONG
  EXPECT_EQ(orientation(exif(3, 2, 5)), 5);   // of two values the first
  EXPECT_EQ(orientation(exif(1, 1, 6)), 1);   // BYTE is no number to Pillow
  EXPECT_EQ(orientation(exif(99, 1, 6)), 1);  // no such type
  for (const int value : {0, 9, 255}) EXPECT_EQ(orientation(exif(3, 1, value)), 1);
}

TEST(Orientation, TakesBothByteOrdersAndRepeatedPrefixes) {
  const Bytes big = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0,
                     3,   0,   0, 0,  1, 0, 7, 0, 0, 0, 0,    0,    0};
  EXPECT_EQ(orientation(big), 7);
  Bytes swapped = big;
  std::swap(swapped[2], swapped[3]);
  EXPECT_EQ(orientation(swapped), 7);
  Bytes prefixed = {'E', 'x', 'i', 'f', 0, 0, 'E', 'x', 'i', 'f', 0, 0};
  prefixed.insert(prefixed.end(), big.begin(), big.end());
  EXPECT_EQ(orientation(prefixed), 7);
}

TEST(Orientation, EndsWhereTheDirectoryIsDamaged) {
  const Bytes sound = exif(3, 1, 6);
  for (std::size_t size = 8; size < sound.size(); ++size) {
    const int found = orientation({sound.begin(), sound.begin() + static_cast<long>(size)});
    EXPECT_EQ(found, size >= 22 ? 6 : 1) << size;  // the entry ends at byte 22
  }
  for (std::size_t i = 4; i < sound.size(); ++i) {  // wild offsets, counts and types
    for (const int value : {0, 7, 0xff}) {
      Bytes changed = sound;
      changed[i] = static_cast<std::uint8_t>(value);
      EXPECT_NO_THROW(orientation(changed));
    }
  }
}

TEST(Orientation, ComesFromXmpWhereExifDoesNotNameIt) {
  EXPECT_EQ(orientation({}, "<a tiff:Orientation=\"6\"/>"), 6);
  EXPECT_EQ(orientation({}, "<tiff:Orientation>3</tiff:Orientation>"), 3);
  EXPECT_EQ(orientation({}, "tiff:Orientation tiff:Orientation='4' tiff:Orientation=\"5\""), 5);
  EXPECT_EQ(orientation({}, "tiff:Orientation="), 1);
  EXPECT_EQ(orientation({}, "tiff:Orientation>"), 1);
  EXPECT_EQ(orientation(exif(3, 1, 1), "<a tiff:Orientation=\"6\"/>"), 1);
}

TEST(Orientation, ForeignExifDataAreRefused) {
  for (const std::string text : {"not TIFF at all", "II", "IM\x2a\x01_____", "PK\x2a\x2a____"}) {
    EXPECT_THAT(
        [&] {
          orientation({text.begin(), text.end()});
        },
        ThrowsMessage<IoError>(AllOf(
            HasSubstr("turned.jpg: its EXIF data of " + std::to_string(text.size()) + " bytes"),
            HasSubstr("repair its metadata"))));
  }
}

}  // namespace
}  // namespace vlmark::test
