#include "kernels/blocks.hpp"

#include <gmock/gmock.h>

#include "tests/kernels/strided_matrix.hpp"
#include "tests/kernels/view_data.hpp"
#include "tests/support/random_data.hpp"

namespace vlmark::test {
namespace {

struct Case {
  int count, rows, columns;
};
class Blocks : public testing::TestWithParam<Case> {
 protected:
  /// What a serial loop over the blocks gives, in fp32 and in their order.
  std::vector<float> expected(const std::vector<float>& blocks, std::vector<float> sums,
                              int first) const {
    const auto size = static_cast<std::size_t>(GetParam().rows * GetParam().columns);
    for (int k = first; k < GetParam().count; ++k)
      for (std::size_t i = 0; i < size; ++i)
        sums[i] += blocks[static_cast<std::size_t>(k) * size + i];
    return sums;
  }
};

TEST_P(Blocks, AreAddedInTheirOrder) {
  const auto [count, rows, columns] = GetParam();
  const auto size = static_cast<std::size_t>(rows * columns);
  const auto blocks = gaussian(count * size, 1, 100.0f), before = gaussian(size, 2);
  const StridedMatrix<float> from(blocks, count * rows, columns, 3);
  StridedMatrix<float> y(before, rows, columns, 5);
  kernels::add_blocks(Exec{}, from.view, y.view);
  EXPECT_EQ(y.values(), expected(blocks, before, 0));
  EXPECT_TRUE(y.gap_untouched());
}

TEST_P(Blocks, AreSummedInTheirOrderAndRoundedOnce) {
  const auto [count, rows, columns] = GetParam();
  const auto size = static_cast<std::size_t>(rows * columns);
  const auto blocks = gaussian(count * size, 3, 100.0f);
  const auto sums = expected(blocks, {blocks.begin(), blocks.begin() + static_cast<long>(size)}, 1);
  StridedMatrix<float> y32 = StridedMatrix<float>::unset(rows, columns, 3);
  StridedMatrix<bf16> y16 = StridedMatrix<bf16>::unset(rows, columns, 1);
  const StridedMatrix<float> from(blocks, count * rows, columns, 0),
      again(blocks, count * rows, columns, 2);
  kernels::sum_blocks(Exec{}, from.view, y32.view);
  kernels::sum_blocks(Exec{}, again.view, y16.view);
  EXPECT_EQ(y32.values(), sums);
  std::vector<float> rounded;
  for (const float sum : sums) rounded.push_back(widen(to_bf16(sum)));
  EXPECT_EQ(y16.values(), rounded);
  EXPECT_TRUE(y32.gap_untouched() && y16.gap_untouched());
}

INSTANTIATE_TEST_SUITE_P(Shapes, Blocks,
                         testing::Values(Case{1, 1, 1}, Case{2, 3, 7}, Case{3, 0, 5},
                                         Case{8, 5, 64}, Case{4, 2, 1030}));

TEST(BlocksErrors, NameTheArgument) {
  using testing::HasSubstr;
  using testing::ThrowsMessage;
  const Mat<float> blocks("blocks", 7, 4), y("y", 3, 4), narrow("narrow", 3, 5);
  EXPECT_THAT([&] { kernels::add_blocks(Exec{}, blocks, y); },
              ThrowsMessage<ShapeError>(
                  HasSubstr("add_blocks: argument 'blocks' has shape [7, 4] (expected [6, 4])")));
  EXPECT_THAT([&] { kernels::sum_blocks(Exec{}, Mat<float>("none", 0, 4), y); },
              ThrowsMessage<ShapeError>(HasSubstr("[0, 4] (expected [3, 4])")));
  EXPECT_THAT([&] { kernels::sum_blocks(Exec{}, blocks, narrow); },
              ThrowsMessage<ShapeError>(HasSubstr("argument 'blocks'")));
}

}  // namespace
}  // namespace vlmark::test
