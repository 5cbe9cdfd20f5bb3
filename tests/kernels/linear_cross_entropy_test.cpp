#include "kernels/linear_cross_entropy.hpp"

#include <gmock/gmock.h>

#include "kernels/reference/linear_cross_entropy.hpp"
#include "src/base/counters.hpp"
#include "tests/kernels/strided_matrix.hpp"
#include "tests/kernels/view_data.hpp"
#include "tests/support/expect_close.hpp"
#include "tests/support/random_data.hpp"

namespace vlmark::test {
namespace {

using namespace kernels;

struct Size {
  int rows, vocab, hidden;
};

template <class T>
struct HeadRun {
  std::vector<float> h, w, dw_before;
  std::vector<int> targets;
  Vec<float> losses;
  StridedMatrix<T> dh;
  StridedMatrix<float> dw;

  HeadRun(const Size& size, float scale, bool frozen)
      : h(gaussian(static_cast<std::size_t>(size.rows * size.hidden), 1)),
        w(gaussian(static_cast<std::size_t>(size.vocab * size.hidden), 2, 0.3f)),
        dw_before(gaussian(w.size(), 3, 0.1f)),
        targets(integers(static_cast<std::size_t>(size.rows), 4, size.vocab)),
        losses("test::losses", static_cast<std::size_t>(size.rows)),
        dh(StridedMatrix<T>::unset(size.rows, size.hidden, 1)),
        dw(dw_before, size.vocab, size.hidden, 2) {
    const StridedMatrix<T> dev_h(h, size.rows, size.hidden, 3),
        dev_w(w, size.vocab, size.hidden, 5);
    const Mat<float> workspace("test::workspace", linear_cross_entropy_tile(size.rows, size.vocab),
                               size.vocab);
    linear_cross_entropy(Exec{}, dev_h.view, dev_w.view, to_device(targets), scale, losses, dh.view,
                         frozen ? Mat<float>{} : dw.view, workspace);
    const Vec<float> alone("test::losses", losses.extent(0));
    linear_cross_entropy_losses(Exec{}, dev_h.view, dev_w.view, to_device(targets), alone,
                                workspace);
    EXPECT_EQ(to_host(alone), to_host(losses));
  }

  reference::LinearCrossEntropy expected(const Size& size, double scale) const {
    return reference::linear_cross_entropy(rounded<T>(h), rounded<T>(w), targets, size.hidden,
                                           scale);
  }
};

class LinearCrossEntropy : public testing::TestWithParam<Size> {
 protected:
  template <class T>
  void check() const {
    const Size& size = GetParam();
    const float scale = 1.0f / 77;
    const HeadRun<T> run(size, scale, false);
    auto expected = run.expected(size, scale);
    for (std::size_t i = 0; i < expected.dw.size(); ++i) expected.dw[i] += run.dw_before[i];
    // Sums of hidden, vocab and rows products with at most as many roundings, doubled; dh is
    // rounded to T.
    const double f32 = 2.0 * (size.hidden + size.vocab + size.rows) * 0x1p-24;
    EXPECT_TRUE(close(to_host(run.losses), expected.losses, 0, f32 * max_abs(expected.losses)));
    expect_close(run.dh.values(), expected.dh, std::is_same_v<T, float> ? f32 : 0x1p-8);
    expect_close(run.dw.values(), expected.dw, f32);
    EXPECT_TRUE(run.dh.gap_untouched() && run.dw.gap_untouched());
  }
};

TEST_P(LinearCrossEntropy, F32MatchesReference) { check<float>(); }
TEST_P(LinearCrossEntropy, Bf16MatchesReference) { check<bf16>(); }

// A tile has 128 rows.
INSTANTIATE_TEST_SUITE_P(Sizes, LinearCrossEntropy,
                         testing::Values(Size{0, 5, 4}, Size{1, 1, 1}, Size{3, 7, 5},
                                         Size{128, 20, 8}, Size{291, 130, 24}));

TEST(LinearCrossEntropyFrozen, LeavesTheHeadAloneAndBooksNoProductForIt) {
  const Size size{131, 30, 8};
  counters().reset();
  const HeadRun<float> run(size, 1, true);
  // Logits twice (once for the losses alone) and dh.
  EXPECT_EQ(counters().flops(), 3u * 2 * 131 * 30 * 8);
  counters().reset();
  EXPECT_EQ(run.dw.values(), run.dw_before);
  expect_close(run.dh.values(), run.expected(size, 1).dh, 1e-5);
}

TEST(LinearCrossEntropyTile, NeverExceedsRowsNorNeedsMoreForMoreRows) {
  EXPECT_EQ(linear_cross_entropy_tile(0, 100), 0);
  EXPECT_EQ(linear_cross_entropy_tile(5, 100), 5);
  EXPECT_EQ(linear_cross_entropy_tile(5000, 100), linear_cross_entropy_tile(50000, 100));
}

TEST(LinearCrossEntropyErrors, NameTheArgument) {
  const Mat<float> h("h", 3, 4), w("w", 5, 4), dh("dh", 3, 4), dw("dw", 5, 3), work("work", 3, 5);
  const Vec<float> losses("losses", 3);
  EXPECT_THAT(
      [&] {
        linear_cross_entropy(Exec{}, h, w, to_device({0, 1, 2}), 1, losses, dh, dw, work);
      },
      testing::ThrowsMessage<ShapeError>(
          testing::HasSubstr("argument 'dw' has shape [5, 3] (expected [5, 4])")));
  EXPECT_THAT(
      [&] {
        linear_cross_entropy(Exec{}, h, w, to_device({0, 1, 2}), 1, losses, dh, {}, dw);
      },
      testing::ThrowsMessage<ShapeError>(testing::HasSubstr("argument 'workspace'")));
}

}  // namespace
}  // namespace vlmark::test
