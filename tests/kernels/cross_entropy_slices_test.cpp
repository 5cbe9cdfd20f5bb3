#include "kernels/cross_entropy_slices.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "kernels/reference/cross_entropy.hpp"
#include "src/base/partition.hpp"
#include "tests/kernels/view_data.hpp"
#include "tests/support/expect_close.hpp"
#include "tests/support/random_data.hpp"

namespace vlmark::test {
namespace {

struct Case {
  int rows, vocab, ranks;
  float spread;  ///< standard deviation of the logits
};

/// All ranks' slices one after the other, the exchanges by common memory.
struct Slices {
  std::vector<Mat<float>> logits;
  Mat<float> maxima, sums, target_logits;
  Vec<float> losses;
  std::vector<int> first;

  Slices(const std::vector<float>& whole, int rows, int vocab, int ranks,
         const std::vector<int>& targets, float scale, bool gradient)
      : maxima("test::maxima", ranks, rows),
        sums("test::sums", ranks, rows),
        target_logits("test::target_logits", ranks, rows),
        losses("test::losses", rows) {
    const auto y = to_view(targets);
    const auto row = [](const Mat<float>& m, int r) -> Vec<float> {
      return Kokkos::subview(m, r, Kokkos::ALL);
    };
    for (int r = 0; r < ranks; ++r) {
      const Block slice = block_of(vocab, r, ranks);
      std::vector<float> part;
      for (int t = 0; t < rows; ++t)
        part.insert(part.end(), whole.begin() + t * vocab + slice.begin,
                    whole.begin() + t * vocab + slice.end);
      logits.push_back(to_view<float>(part, rows, static_cast<int>(slice.size())));
      first.push_back(static_cast<int>(slice.begin));
      kernels::slice_maximum(Exec{}, logits.back(), y, first.back(), row(maxima, r),
                             row(target_logits, r));
    }
    for (int r = 0; r < ranks; ++r)
      kernels::slice_exponentials(Exec{}, logits[static_cast<std::size_t>(r)], maxima, gradient,
                                  row(sums, r));
    kernels::slice_losses(Exec{}, maxima, sums, target_logits, losses);
    if (!gradient) return;
    for (int r = 0; r < ranks; ++r) {
      const auto at = static_cast<std::size_t>(r);
      kernels::slice_gradient(Exec{}, logits[at], y, first[at], sums, scale);
    }
  }

  /// [rows, vocab], put together again.
  std::vector<double> whole(int rows, int vocab) const {
    std::vector<double> values(static_cast<std::size_t>(rows * vocab));
    for (std::size_t r = 0; r < logits.size(); ++r) {
      const auto part = to_host(logits[r]);
      const int slice = logits[r].extent_int(1);
      for (int t = 0; t < rows; ++t)
        for (int v = 0; v < slice; ++v)
          values[static_cast<std::size_t>(t * vocab + first[r] + v)] =
              part[static_cast<std::size_t>(t * slice + v)];
    }
    return values;
  }
};

class CrossEntropySlices : public testing::TestWithParam<Case> {};

TEST_P(CrossEntropySlices, TogetherMatchTheReference) {
  const auto [rows, vocab, ranks, spread] = GetParam();
  const float scale = 0.125f;
  const auto logits = gaussian(rows * vocab, 1, spread);
  const auto targets = integers(rows, 2, vocab);
  const auto before = to_double(logits);
  const auto expected = kernels::reference::softmax_cross_entropy(before, targets, vocab, scale);
  // As for the whole vocabulary, and the sum over the ranks.
  const double relative =
      (row_sum_depth(vocab) + 4 + ranks + 2 * max_abs(before)) * kRoundoff<float>;
  const Slices alone(logits, rows, vocab, ranks, targets, scale, false);
  EXPECT_TRUE(close(to_host(alone.losses), expected.losses, kRoundoff<float>, relative));
  EXPECT_EQ(alone.whole(rows, vocab), before);  // no gradient wanted: the logits stay
  const Slices run(logits, rows, vocab, ranks, targets, scale, true);
  EXPECT_EQ(to_host(run.losses), to_host(alone.losses));
  EXPECT_TRUE(close(run.whole(rows, vocab), expected.d_logits, relative, relative * scale));
}

// The last has slices without a column.
INSTANTIATE_TEST_SUITE_P(Shapes, CrossEntropySlices,
                         testing::Values(Case{0, 8, 2, 1}, Case{1, 1, 1, 1}, Case{3, 7, 2, 1},
                                         Case{2, 16, 3, 30}, Case{9, 1025, 4, 4},
                                         Case{2, 20000, 8, 2}, Case{3, 3, 5, 1}));

TEST(CrossEntropySlicesValues, SurviveLargeLogitsAndKeepNaN) {
  const std::vector<float> logits{1e30f, 0,     -1e30f, -1e30f, 3e4f, 3e4f,
                                  -3e4f, -3e4f, 1,      1,      1,    std::nanf("")};
  const Slices run(logits, 3, 4, 2, {0, 1, 0}, 1.0f, true);
  const auto loss = to_host(run.losses), gradient = run.whole(3, 4);
  EXPECT_EQ(loss[0], 0);
  EXPECT_NEAR(loss[1], std::log(2.0), 1e-7);
  EXPECT_TRUE(std::isnan(loss[2]));  // on both ranks: the sums are exchanged
  EXPECT_FLOAT_EQ(static_cast<float>(gradient[4]), 0.5f);
  EXPECT_FLOAT_EQ(static_cast<float>(gradient[5]), -0.5f);
}

TEST(CrossEntropySlicesErrors, NameTheArgument) {
  using testing::HasSubstr;
  using testing::ThrowsMessage;
  const Mat<float> logits("logits", 2, 5), maxima("maxima", 3, 2), one("one", 3, 1);
  const Vec<float> two("two", 2), three("three", 3);
  const auto targets = to_view(std::vector<int>{1, 2});
  EXPECT_THAT([&] { kernels::slice_maximum(Exec{}, logits, targets, 0, three, two); },
              ThrowsMessage<ShapeError>(HasSubstr("argument 'maximum' has shape [3]")));
  EXPECT_THAT([&] { kernels::slice_exponentials(Exec{}, logits, one, true, two); },
              ThrowsMessage<ShapeError>(HasSubstr("argument 'maxima' has shape [3, 1]")));
  EXPECT_THAT([&] { kernels::slice_losses(Exec{}, maxima, one, maxima, two); },
              ThrowsMessage<ShapeError>(HasSubstr("argument 'sums'")));
  EXPECT_THAT([&] { kernels::slice_gradient(Exec{}, logits, targets, 0, one, 1); },
              ThrowsMessage<ShapeError>(HasSubstr("argument 'sums'")));
}

}  // namespace
}  // namespace vlmark::test
