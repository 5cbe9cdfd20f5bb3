#include "src/data/chat.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/base/error.hpp"

namespace vlmark::test {
namespace {

using data::ContentPart;
using data::expand_vision_pads;
using data::render_chat;
using plan::Grid;
using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

std::vector<data::ChatMessage> one_user(std::vector<ContentPart> content) {
  return {{"user", std::move(content)}};
}

TEST(RenderChat, NumbersPicturesAndVideosApartOverTheWholeConversation) {
  const ContentPart image{ContentPart::Kind::image}, video{ContentPart::Kind::video};
  std::vector<data::ChatMessage> messages = {
      {"system", {}}, {"user", {image, video}}, {"assistant", {image}}};
  const std::string text = render_chat(messages, false, true);
  EXPECT_EQ(text,
            "<|im_start|>system\n<|im_end|>\n<|im_start|>user\n"
            "Picture 1: <|vision_start|><|image_pad|><|vision_end|>"
            "Video 1: <|vision_start|><|video_pad|><|vision_end|><|im_end|>\n"
            "<|im_start|>assistant\nPicture 2: <|vision_start|><|image_pad|><|vision_end|>"
            "<|im_end|>\n");
}

TEST(RenderChat, RefusesAnEmptyConversation) {
  EXPECT_THAT([] { render_chat({}, true); }, ThrowsMessage<ValueError>(HasSubstr("0 messages")));
}

TEST(ExpandVisionPads, RepeatsEachPadByItsOwnGridAndMergeSize) {
  const std::vector<Grid> grids = {{1, 2, 3}, {2, 3, 3}, {1, 3, 6}};
  const std::string text = "a<|video_pad|>b<|image_pad|><|image_pad|>c";
  EXPECT_EQ(expand_vision_pads("", {}, 2), "");
  EXPECT_THAT([&] { expand_vision_pads(text, grids, 3); },
              ThrowsMessage<ValueError>(
                  AllOf(HasSubstr("grid 0 is 1 x 2 x 3"), HasSubstr("merge_size 3"))));
  const std::string image = "<|image_pad|>", video = "<|video_pad|>";
  const auto repeated = [](const std::string& pad, int count) {
    std::string result;
    for (int i = 0; i < count; ++i) result += pad;
    return result;
  };
  EXPECT_EQ(expand_vision_pads(text, grids, 1),
            "a" + repeated(video, 6) + "b" + repeated(image, 18 + 18) + "c");
  const std::vector<Grid> merged = {{3, 3, 6}, {1, 6, 6}, {1, 3, 3}};
  EXPECT_EQ(expand_vision_pads(text, merged, 3),
            "a" + repeated(video, 6) + "b" + repeated(image, 4 + 1) + "c");
}

TEST(ExpandVisionPads, CountsAPadThatAUserTyped) {
  const std::vector<Grid> one = {{1, 2, 2}};
  const std::string text = render_chat(
      one_user({{ContentPart::Kind::image}, {ContentPart::Kind::text, "Is it <|image_pad|>?"}}),
      true);
  EXPECT_THAT(
      [&] { expand_vision_pads(text, one, 2); },
      ThrowsMessage<ValueError>(AllOf(HasSubstr("2 image or video pads"), HasSubstr("1 grids"))));
}

TEST(ExpandVisionPads, NamesBothNumbersWhenPadsAndGridsDiffer) {
  const std::vector<Grid> two = {{1, 2, 2}, {1, 2, 2}};
  EXPECT_THAT(
      [&] { expand_vision_pads("no pads", two, 2); },
      ThrowsMessage<ValueError>(AllOf(HasSubstr("0 image or video pads"), HasSubstr("2 grids"))));
}

TEST(ExpandVisionPads, RefusesImpossibleGrids) {
  for (const Grid grid : {Grid{0, 2, 2}, Grid{1, -2, -2}, Grid{1, 3, 2}, Grid{1, 2, 5}})
    EXPECT_THROW(expand_vision_pads("<|image_pad|>", std::vector{grid}, 2), ValueError);
  EXPECT_THAT(
      [] {
        expand_vision_pads("<|image_pad|>", std::vector<Grid>{{1, 2, 2}}, 0);
      },
      ThrowsMessage<ValueError>(HasSubstr("merge_size is 0")));
}

TEST(ExpandVisionPads, ManyPadsTakeOnePass) {
  std::string text, expected;
  std::vector<Grid> grids;
  for (int i = 0; i < 20000; ++i) {
    text += "word <|image_pad|>";
    expected += "word <|image_pad|><|image_pad|>";
    grids.push_back({2, 2, 2});
  }
  EXPECT_EQ(expand_vision_pads(text, grids, 2), expected);
}

}  // namespace
}  // namespace vlmark::test
