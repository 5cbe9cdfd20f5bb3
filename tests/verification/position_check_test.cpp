#include "src/verification/position_check.hpp"

#include <gtest/gtest.h>

#include "tests/engine/small_model.hpp"

namespace vlmark::test {
namespace {

using verification::wrong_positions;

TEST(PositionCheck, AcceptsTextPicturesAndVideos) {
  const plan::ModelConfig model = small_model();
  for (const model::MicroBatch& batch : six_micro_batches(model))
    EXPECT_EQ(wrong_positions(batch, model), 0);
}

TEST(PositionCheck, CountsEveryWrongIndexOfEveryArray) {
  const plan::ModelConfig model = small_model();
  for (auto array : {&model::MicroBatch::positions, &model::MicroBatch::vit_hw,
                     &model::MicroBatch::cu_seqlens, &model::MicroBatch::vit_cu_seqlens}) {
    const model::MicroBatch good = six_micro_batches(model)[4];
    for (std::size_t i = 0; i < (good.*array).size(); ++i) {
      model::MicroBatch bad = good;
      ++(bad.*array)[i];
      EXPECT_EQ(wrong_positions(bad, model), 1) << i;
    }
    model::MicroBatch bad = good;
    (bad.*array).pop_back();
    EXPECT_GT(wrong_positions(bad, model), 0);
  }
}

/// Numbers written by hand: 2 text tokens, a picture of 2 x 3 merged patches, 1 text token.
TEST(PositionCheck, FollowsTheRule) {
  const plan::ModelConfig model = small_model();
  model::MicroBatch batch = pack(
      std::vector{sequence(model, 1, {medium(model, {1, 4, 6}, false, 1)}, 0, false, 1)}, model);
  EXPECT_EQ(batch.positions, (std::vector<int>{0, 1, 2, 2, 2, 2, 2, 2, 5,  //
                                               0, 1, 2, 2, 2, 3, 3, 3, 5,  //
                                               0, 1, 2, 3, 4, 2, 3, 4, 5}));
  EXPECT_EQ(wrong_positions(batch, model), 0);
}

}  // namespace
}  // namespace vlmark::test
