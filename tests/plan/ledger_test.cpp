#include "src/plan/ledger.hpp"

#include <gtest/gtest.h>

namespace vlmark::plan {
namespace {

constexpr int vit = static_cast<int>(Part::vit), merger = static_cast<int>(Part::merger),
              decoder = static_cast<int>(Part::decoder), head = static_cast<int>(Part::head);

// Figures computed from the published shapes, independently of this code: forward GFLOP per token
// with the head (3.087, 14.14, 142.9), per patch (1.2613) and pair of patches (163,840), merger
// MFLOP per token (68.2, 89.1, 136.3).
struct Published {
  const char* preset;
  double decoder_and_head_gflop, merger_mflop;
};
class LedgerOf : public testing::TestWithParam<Published> {};

TEST_P(LedgerOf, PublishedModelsHasTheKnownFlopsPerToken) {
  const ModelConfig model = model_preset(GetParam().preset);
  const Flops text = forward_flops(model, {.sequences = {100}, .media = {}, .supervised = 100});
  EXPECT_NEAR(static_cast<double>(text.gemm[decoder] + text.gemm[head]) / 100 * 1e-9,
              GetParam().decoder_and_head_gflop, 5e-4 * GetParam().decoder_and_head_gflop);
  const Flops picture =
      forward_flops(model, {.sequences = {64}, .media = {{1, 16, 16}}, .supervised = 0});
  EXPECT_NEAR(static_cast<double>(picture.gemm[vit]) / 256 * 1e-9, 1.2613, 1e-4);
  EXPECT_EQ(picture.attention[vit], 163'840ull * 256 * 256);
  EXPECT_NEAR(static_cast<double>(picture.gemm[merger]) / 64 * 1e-6, GetParam().merger_mflop, 0.1);
  EXPECT_EQ(picture.gemm[head], 0u);
}

INSTANTIATE_TEST_SUITE_P(Sizes, LedgerOf,
                         testing::Values(Published{"2B", 3.087, 68.2}, Published{"7B", 14.14, 89.1},
                                         Published{"72B", 142.9, 136.3}));

TEST(Ledger, CountsCausalAttentionHalf) {
  const ModelConfig model = model_preset("2B");
  const Flops one = forward_flops(model, {.sequences = {1000}, .media = {}, .supervised = 0});
  EXPECT_EQ(one.attention[decoder], 2ull * 28 * 1536 * 1000 * 1000);
  // Packed sequences do not see each other.
  const Flops two = forward_flops(model, {.sequences = {500, 500}, .media = {}, .supervised = 0});
  EXPECT_EQ(2 * two.attention[decoder], one.attention[decoder]);
  EXPECT_EQ(two.gemm[decoder], one.gemm[decoder]);
}

TEST(Ledger, VideoFramesAreSegmentsOfTheirOwn) {
  const ModelConfig model = model_preset("2B");
  const Flops video =
      forward_flops(model, {.sequences = {}, .media = {{4, 4, 4}}, .supervised = 0});
  EXPECT_EQ(video.attention[vit], 163'840ull * 4 * 16 * 16);
}

TEST(Ledger, TrainingCostsThreeTimesForwardButForPixels) {
  const ModelConfig model = model_preset("2B");
  const MicroBatchShape shape{.sequences = {300}, .media = {{1, 8, 8}}, .supervised = 50};
  const Flops forward = forward_flops(model, shape), training = training_flops(model, shape, {});
  EXPECT_EQ(training.gemm[decoder], 3 * forward.gemm[decoder]);
  EXPECT_EQ(training.gemm[head], 3 * forward.gemm[head]);
  EXPECT_EQ(training.attention[decoder], 3 * forward.attention[decoder]);
  EXPECT_EQ(training.gemm[merger], 3 * forward.gemm[merger]);
  EXPECT_EQ(training.gemm[vit], 3 * forward.gemm[vit] - 2ull * 64 * 1176 * 1280);
}

TEST(Ledger, FrozenGroupsCostNoWeightGradient) {
  const ModelConfig model = model_preset("2B");
  const MicroBatchShape shape{.sequences = {300}, .media = {{1, 8, 8}}, .supervised = 50};
  const Flops forward = forward_flops(model, shape);
  const Flops stage1 = training_flops(model, shape, Trainable::stage(1, false));
  EXPECT_EQ(stage1.gemm[decoder], 2 * forward.gemm[decoder]);
  EXPECT_EQ(stage1.gemm[merger], 2 * forward.gemm[merger]);
  const Flops stage3 = training_flops(model, shape, Trainable::stage(3, false));
  EXPECT_EQ(stage3.gemm[vit], forward.gemm[vit]);
  EXPECT_EQ(stage3.gemm[merger], forward.gemm[merger]);
  EXPECT_EQ(stage3.gemm[decoder], 3 * forward.gemm[decoder]);
  // Text alone teaches a ViT nothing.
  const MicroBatchShape text{.sequences = {300}, .media = {}, .supervised = 50};
  EXPECT_EQ(training_flops(model, text, Trainable::stage(1, true)), forward_flops(model, text));
}

}  // namespace
}  // namespace vlmark::plan
