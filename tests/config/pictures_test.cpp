#include "src/config/pictures.hpp"

#include <gtest/gtest.h>

namespace vlmark::config {
namespace {

using Groups = std::vector<std::vector<PictureSize>>;

TEST(PictureSizes, AreWidthThenHeight) {
  EXPECT_EQ(picture_size("1280x720"), (PictureSize{1280, 720}));
  for (const char* wrong : {"", "x", "4x", "x4", "4x4x4", "0x4", "4x-4", "4 x4", "4x4 ", "4X4",
                            "99999999999x4", "4.0x4"})
    EXPECT_EQ(picture_size(wrong), std::nullopt) << wrong;
}

TEST(PictureGroups, TakeTurnsAtCommas) {
  EXPECT_EQ(picture_groups("448x448, 1280x720+640x480 , none"),
            (Groups{{{448, 448}}, {{1280, 720}, {640, 480}}, {}}));
}

TEST(PictureGroups, NothingIsOneGroupWithoutPictures) {
  for (const char* nothing : {"", "  ", "none"}) EXPECT_EQ(picture_groups(nothing), Groups{{}});
}

TEST(PictureGroups, RefuseWhatIsNoSize) {
  for (const char* wrong : {"448", "448x448,", ",448x448", "448x448++448x448", "448x448 none",
                            "none+448x448", "448x448;448x448"})
    EXPECT_EQ(picture_groups(wrong), std::nullopt) << wrong;
}

}  // namespace
}  // namespace vlmark::config
