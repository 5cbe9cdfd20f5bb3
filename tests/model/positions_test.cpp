#include "src/model/positions.hpp"

#include <gmock/gmock.h>

#include "src/base/error.hpp"
#include "src/model/micro_batch.hpp"

namespace vlmark::model {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;

const plan::ModelConfig nano = plan::model_preset("nano");
const int I = nano.image_id, V = nano.video_id, S = nano.vision_start_id, E = nano.vision_end_id;

// The worked examples of docs/architecture.md, "Positions" (release rule of Qwen2-VL).
TEST(Positions, PictureOfTwoByThree) {
  const Positions p = mrope_positions(std::vector<int>{1, 2, 3, S, I, I, I, I, I, I, E, 1, 2},
                                      std::vector<plan::Grid>{{1, 4, 6}}, nano);
  EXPECT_THAT(p.t, ElementsAre(0, 1, 2, 3, 4, 4, 4, 4, 4, 4, 7, 8, 9));
  EXPECT_THAT(p.h, ElementsAre(0, 1, 2, 3, 4, 4, 4, 5, 5, 5, 7, 8, 9));
  EXPECT_THAT(p.w, ElementsAre(0, 1, 2, 3, 4, 5, 6, 4, 5, 6, 7, 8, 9));
  EXPECT_EQ(p.delta, -3);
}

TEST(Positions, VideoLongerThanWideResumesAfterItsLastFrame) {
  std::vector<int> ids{1, S};
  ids.insert(ids.end(), 16, V);
  ids.insert(ids.end(), {E, 1, 2});
  const Positions p = mrope_positions(ids, std::vector<plan::Grid>{{4, 4, 4}}, nano);
  EXPECT_THAT(p.t, ElementsAre(0, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 6, 7, 8));
  EXPECT_THAT(p.h, ElementsAre(0, 1, 2, 2, 3, 3, 2, 2, 3, 3, 2, 2, 3, 3, 2, 2, 3, 3, 6, 7, 8));
  EXPECT_THAT(p.w, ElementsAre(0, 1, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 6, 7, 8));
  EXPECT_EQ(p.delta, -12);
}

TEST(Positions, TextAloneCountsUp) {
  const Positions p = mrope_positions(std::vector<int>{5, 6, 7}, {}, nano);
  EXPECT_THAT(p.t, ElementsAre(0, 1, 2));
  EXPECT_EQ(p.h, p.t);
  EXPECT_EQ(p.w, p.t);
  EXPECT_EQ(p.delta, 0);
}

TEST(Positions, AdjacentPicturesNeedNoTextBetween) {
  const Positions p = mrope_positions(std::vector<int>{I, I, I, I, I},
                                      std::vector<plan::Grid>{{1, 2, 2}, {1, 4, 4}}, nano);
  EXPECT_THAT(p.t, ElementsAre(0, 1, 1, 1, 1));
  EXPECT_THAT(p.h, ElementsAre(0, 1, 1, 2, 2));
}

TEST(Positions, TooFewVisionTokensNamesBothNumbers) {
  EXPECT_THAT(
      [] {
        mrope_positions(std::vector<int>{1, I, I, 2}, std::vector<plan::Grid>{{1, 4, 4}}, nano);
      },
      testing::ThrowsMessage<ValueError>(
          testing::AllOf(HasSubstr("2 vision tokens"), HasSubstr("expected 4"))));
}

TEST(PatchCoordinates, RunThroughTwoByTwoBlocks) {
  std::vector<int> h, w;
  append_patch_coordinates({1, 4, 6}, 2, h, w);
  ASSERT_EQ(h.size(), 24u);
  EXPECT_THAT(std::vector<int>(h.begin(), h.begin() + 12),
              ElementsAre(0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1));
  EXPECT_THAT(std::vector<int>(w.begin(), w.begin() + 12),
              ElementsAre(0, 1, 0, 1, 2, 3, 2, 3, 4, 5, 4, 5));
  std::vector<int> h2, w2;
  append_patch_coordinates({3, 4, 6}, 2, h2, w2);
  EXPECT_THAT(std::vector<int>(h2.begin() + 48, h2.end()),
              ElementsAreArray(h));  // again per frame pair
}

Sequence picture_sequence() {
  Sequence s;
  s.ids = {1, S, I, I, I, I, E, 2, 3};
  s.labels = {-100, -100, -100, -100, -100, -100, -100, 2, 3};
  s.media.push_back({{1, 4, 4}, false, std::vector<float>(16 * 1176)});
  return s;
}

TEST(Pack, ShiftsLabelsInsideEachSequenceOnly) {
  const std::vector<Sequence> two(2, picture_sequence());
  const MicroBatch batch = pack(two, nano);
  EXPECT_THAT(batch.supervised_rows, ElementsAre(6, 7, 15, 16));
  EXPECT_THAT(batch.targets, ElementsAre(2, 3, 2, 3));
  EXPECT_THAT(batch.cu_seqlens, ElementsAre(0, 9, 18));
  EXPECT_THAT(batch.vit_cu_seqlens, ElementsAre(0, 16, 32));
  EXPECT_THAT(batch.vision_rows, ElementsAre(2, 3, 4, 5, 11, 12, 13, 14));
  EXPECT_EQ(batch.positions[9], 0);  // starts anew
}

TEST(Pack, LeavesOutWhatIsNotWanted) {
  const std::vector<Sequence> two(2, picture_sequence());
  const MicroBatch all = pack(two, nano);
  std::vector<Sequence> bare = two;
  for (Sequence& s : bare) s.media[0].pixel_values.clear();
  const MicroBatch batch = pack(bare, nano, {.vision = false, .targets = false});
  EXPECT_EQ(batch.shape, all.shape);
  EXPECT_EQ(batch.ids, all.ids);
  EXPECT_EQ(batch.positions, all.positions);
  EXPECT_EQ(batch.cu_seqlens, all.cu_seqlens);
  for (const auto* part : {&batch.vit_cu_seqlens, &batch.vit_hw, &batch.vision_rows,
                           &batch.supervised_rows, &batch.targets})
    EXPECT_THAT(*part, testing::IsEmpty());
  EXPECT_EQ(pack(two, nano, {.vision = true, .targets = false}).pixel_values, all.pixel_values);
  EXPECT_EQ(pack(bare, nano, {.vision = false, .targets = true}).targets, all.targets);
}

void expect_pack_error(const Sequence& sequence, const std::string& text) {
  EXPECT_THAT([&] { pack(std::span(&sequence, 1), nano); },
              testing::ThrowsMessage<Error>(HasSubstr(text)));
}

TEST(Pack, RefusesBadInputNamingBothValues) {
  Sequence s = picture_sequence();
  s.ids[0] = nano.vocab;
  expect_pack_error(s, "id 544 at index 0 is outside the vocabulary of 544");
  s = picture_sequence();
  s.ids[0] = -1;
  expect_pack_error(s, "id -1 at index 0");
  s = picture_sequence();
  s.labels[8] = 100'000;
  expect_pack_error(s, "label 100000 at index 8");
  s = picture_sequence();
  s.ids[5] = 7;
  expect_pack_error(s, "3 image tokens but 4 features");
  s = picture_sequence();
  s.media[0].video = true;
  expect_pack_error(s, "4 image tokens but 0 features");
  s = picture_sequence();
  s.media[0].grid = {1, 16, 1};
  expect_pack_error(s, "grid 1x16x1 is not made of whole 2x2 blocks");
  s = picture_sequence();
  s.labels.pop_back();
  expect_pack_error(s, "8 labels for 9 ids");
}

}  // namespace
}  // namespace vlmark::model
