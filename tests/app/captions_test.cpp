#include "src/app/captions.hpp"

#include <gtest/gtest.h>

namespace vlmark::app {
namespace {

const std::vector<CaptionAnswer> three{
    {"cat.jpg", "A cat.", "A cat.", "A dog."},
    {"coffee.jpg", "A cup of coffee.", "A cup", ""},
    {"moon.jpg", "The moon.", "The moon.", "The moon."},
};

TEST(CaptionTable, AlignsAndCounts) {
  EXPECT_EQ(caption_table(three),
            "picture     truth             generated  from a grey picture\n"
            "cat.jpg     A cat.            A cat.     A dog.\n"
            "coffee.jpg  A cup of coffee.  A cup      \n"
            "moon.jpg    The moon.         The moon.  The moon.\n"
            "right: 2 of 3; from a grey picture: 1 of 3\n");
}

TEST(CaptionTable, OfNothing) {
  EXPECT_EQ(caption_table({}),
            "picture  truth  generated  from a grey picture\n"
            "right: 0 of 0; from a grey picture: 0 of 0\n");
}

TEST(CaptionAnswer, OnlyTheWholeCaptionIsRight) {
  EXPECT_TRUE(three[0].right());
  EXPECT_FALSE(three[0].right_without_picture());
  EXPECT_FALSE(three[1].right());
  EXPECT_FALSE((CaptionAnswer{"", "A cat.", "A cat. ", ""}.right()));
}

TEST(GreyCheck, PassesWhereTheGreyPictureIsAnsweredWrongly) {
  const io::Verification check = grey_check(three, 1);
  EXPECT_EQ(check.rule, "V5");
  EXPECT_EQ(check.item, "captions right from a grey picture (the picture was not used)");
  EXPECT_EQ(check.value, 1);
  EXPECT_EQ(check.limit, 1);
  EXPECT_TRUE(check.passed);
}

TEST(GreyCheck, FailsWhereThePictureWasNotUsed) {
  std::vector<CaptionAnswer> answers(8, three[2]);
  EXPECT_FALSE(grey_check(answers, 1).passed);
  EXPECT_EQ(grey_check(answers, 1).value, 8);
  EXPECT_FALSE(grey_check(three, 0).passed);
}

}  // namespace
}  // namespace vlmark::app
