#include "kernels/cross_entropy.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "kernels/reference/cross_entropy.hpp"
#include "tests/kernels/view_data.hpp"
#include "tests/support/expect_close.hpp"
#include "tests/support/random_data.hpp"

namespace vlmark::test {
namespace {

struct Case {
  int rows, vocab;
  float spread;  ///< standard deviation of the logits
};

class CrossEntropy : public testing::TestWithParam<Case> {};

TEST_P(CrossEntropy, MatchesReference) {
  const auto [rows, vocab, spread] = GetParam();
  const float scale = 0.125f;
  const auto logits = to_view<float>(gaussian(rows * vocab, 1, spread), rows, vocab);
  const auto before = to_host(logits);
  const auto targets = integers(rows, 2, vocab);
  const Vec<float> losses("losses", rows), again("again", rows);
  const auto expected = kernels::reference::softmax_cross_entropy(before, targets, vocab, scale);

  // Every exponential: 2 ulp, and its argument is off by u |logit|; then the sum.
  const double relative = (row_sum_depth(vocab) + 4 + 2 * max_abs(before)) * kRoundoff<float>;
  kernels::softmax_cross_entropy(Exec{}, logits, to_view(targets), scale, losses, false);
  EXPECT_TRUE(close(to_host(losses), expected.losses, kRoundoff<float>, relative));
  EXPECT_EQ(to_host(logits), before);  // no gradient wanted: the logits stay

  kernels::softmax_cross_entropy(Exec{}, logits, to_view(targets), scale, again, true);
  EXPECT_EQ(to_host(again), to_host(losses));
  EXPECT_TRUE(close(to_host(logits), expected.d_logits, relative, relative * scale));
}

INSTANTIATE_TEST_SUITE_P(Shapes, CrossEntropy,
                         testing::Values(Case{0, 8, 1}, Case{1, 1, 1}, Case{3, 7, 1},
                                         Case{2, 16, 30}, Case{9, 1025, 4}, Case{2, 20000, 2}));

TEST(CrossEntropyValues, SurviveLargeLogitsAndKeepNaN) {
  const auto logits =
      to_view<float>({1e30f, 0, -1e30f, 3e4f, 3e4f, -3e4f, 1, std::nanf(""), 1}, 3, 3);
  const Vec<float> losses("losses", 3);
  kernels::softmax_cross_entropy(Exec{}, logits, to_view(std::vector<int>{0, 1, 2}), 1.0f, losses,
                                 true);
  const auto loss = to_host(losses);
  EXPECT_EQ(loss[0], 0);
  EXPECT_NEAR(loss[1], std::log(2.0), 1e-7);
  EXPECT_TRUE(std::isnan(loss[2]));
  EXPECT_FLOAT_EQ(on_host(logits)(1, 0), 0.5f);
  EXPECT_FLOAT_EQ(on_host(logits)(1, 1), -0.5f);
}

TEST(CrossEntropyErrors, NameTheArgument) {
  const Mat<float> logits("logits", 2, 5);
  const Vec<float> losses("losses", 2);
  using testing::HasSubstr;
  using testing::ThrowsMessage;
  const auto run = [&](std::vector<int> targets, float scale) {
    kernels::softmax_cross_entropy(Exec{}, logits, to_view(targets), scale, losses, true);
  };
  EXPECT_THAT([&] { run({1}, 1); },
              ThrowsMessage<ShapeError>(HasSubstr("argument 'targets' has shape [1]")));
  EXPECT_THAT(
      [&] {
        run({1, 2}, std::nanf(""));
      },
      ThrowsMessage<ValueError>(HasSubstr("argument 'scale' is nan")));
#ifdef VLMARK_CONTRACTS
  EXPECT_THROW(run({1, 5}, 1), std::logic_error);
#endif
}

}  // namespace
}  // namespace vlmark::test
