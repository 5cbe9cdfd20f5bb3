#include "kernels/rows.hpp"

#include <gmock/gmock.h>

#include "kernels/reference/rows.hpp"
#include "tests/kernels/view_data.hpp"
#include "tests/support/expect_close.hpp"
#include "tests/support/random_data.hpp"

namespace vlmark::test {
namespace {

namespace reference = kernels::reference;

struct Case {
  int rows, columns;
};

/// Every third row, last first: distinct, and not in order.
std::vector<int> some_rows(int rows) {
  std::vector<int> chosen;
  for (int t = rows - 1; t >= 0; t -= 3) chosen.push_back(t);
  return chosen;
}

template <class T>
void check_moves(Case c) {
  const auto x = to_view<T>(gaussian(c.rows * c.columns, 1), c.rows, c.columns);
  const auto before = to_host(x);
  const auto chosen = some_rows(c.rows);
  const int n = static_cast<int>(chosen.size());
  const Mat<T> y("y", n, c.columns);
  kernels::gather_rows(Exec{}, x, to_view(chosen), y);
  EXPECT_EQ(to_host(y), reference::gather_rows(before, chosen, c.columns));

  const auto rows = to_view<T>(gaussian(n * c.columns, 2), n, c.columns);
  kernels::scatter_rows(Exec{}, rows, to_view(chosen), x);
  EXPECT_EQ(to_host(x), reference::scatter_rows(to_host(rows), chosen, before, c.columns));

  kernels::zero_rows(Exec{}, x, to_view(chosen));
  EXPECT_EQ(to_host(x),
            reference::scatter_rows(std::vector<double>(n * c.columns), chosen, before, c.columns));
}

template <class T>
void check_sums(Case c) {
  const auto x = to_view<T>(gaussian(c.rows * c.columns, 1), c.rows, c.columns);
  const auto y = to_view<T>(gaussian(c.rows * c.columns, 2), c.rows, c.columns);
  const auto b = to_view<T>(gaussian(c.columns, 3));
  const auto hx = to_host(x);
  const double twice = kRoundoff<T> + kRoundoff<float>;  // to fp32, then to T

  const auto before = to_host(y);
  kernels::add_bias(Exec{}, b, y);
  EXPECT_TRUE(close(to_host(y), reference::add_bias(to_host(b), before), twice, 0));

  const auto stream = to_view<float>(gaussian(c.rows * c.columns, 5), c.rows, c.columns);
  const auto stream_before = to_host(stream);
  kernels::add_bias(Exec{}, b, stream);
  EXPECT_TRUE(
      close(to_host(stream), reference::add_bias(to_host(b), stream_before), kRoundoff<float>, 0));

  kernels::broadcast_row(Exec{}, b, y);
  EXPECT_EQ(to_host(y), reference::add_bias(to_host(b), std::vector<double>(before.size())));

  const auto db = to_view<float>(gaussian(c.columns, 4));
  auto expected = reference::bias_gradient(hx, c.columns);
  for (int h = 0; h < c.columns; ++h) expected[h] += db(h);
  kernels::bias_gradient(Exec{}, x, db,
                         Mat<float>("workspace", column_sum_workspace_rows(c.rows), c.columns));
  // Higham 2002, eq. 4.4: depth * u * sum |x|.
  EXPECT_TRUE(close(to_host(db), expected, 0,
                    column_sum_depth() * kRoundoff<float> * (c.rows + 1) * (max_abs(hx) + 5)));
}

class Rows : public testing::TestWithParam<Case> {};
TEST_P(Rows, MovesMatchReferenceInFloat) { check_moves<float>(GetParam()); }
TEST_P(Rows, MovesMatchReferenceInBf16) { check_moves<bf16>(GetParam()); }
TEST_P(Rows, SumsMatchReferenceInFloat) { check_sums<float>(GetParam()); }
TEST_P(Rows, SumsMatchReferenceInBf16) { check_sums<bf16>(GetParam()); }
INSTANTIATE_TEST_SUITE_P(Shapes, Rows,
                         testing::Values(Case{0, 4}, Case{1, 1}, Case{3, 7}, Case{32, 256},
                                         Case{33, 257}, Case{300, 600}));

TEST(Workspace, CountsWholeBlocks) {
  EXPECT_EQ(column_sum_workspace_rows(0), 0);
  EXPECT_EQ(column_sum_workspace_rows(1), 1);
  EXPECT_EQ(column_sum_workspace_rows(32), 1);
  EXPECT_EQ(norm_workspace_rows(33), 2);
  EXPECT_EQ(layer_norm_workspace_rows(33), 4);
}

TEST(BiasGradient, SkipsAFrozenBias) {
  kernels::bias_gradient(Exec{}, Mat<float>("dy", 3, 4), Vec<float>(), Mat<float>());
}

TEST(RowErrors, NameTheArgument) {
  const Mat<float> x("x", 4, 8), two("two", 2, 8);
  const auto index = to_view(std::vector<int>{1, 3, 0});
  using testing::HasSubstr;
  using testing::ThrowsMessage;
  EXPECT_THAT([&] { kernels::gather_rows(Exec{}, x, index, two); },
              ThrowsMessage<ShapeError>(
                  HasSubstr("gather_rows: argument 'y' has shape [2, 8] (expected [3, 8])")));
  EXPECT_THAT([&] { kernels::scatter_rows(Exec{}, two, index, x); },
              ThrowsMessage<ShapeError>(HasSubstr("scatter_rows: argument 'rows'")));
  EXPECT_THAT([&] { kernels::add_bias(Exec{}, Vec<float>("b", 3), x); },
              ThrowsMessage<ShapeError>(HasSubstr("add_bias: argument 'b'")));
  EXPECT_THAT([&] { kernels::bias_gradient(Exec{}, x, Vec<float>("db", 7), x); },
              ThrowsMessage<ShapeError>(HasSubstr("bias_gradient: argument 'db'")));
}

}  // namespace
}  // namespace vlmark::test
