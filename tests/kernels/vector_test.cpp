#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "kernels/convert.hpp"
#include "kernels/fill.hpp"
#include "kernels/reduce.hpp"
#include "tests/kernels/view_data.hpp"
#include "tests/support/expect_close.hpp"
#include "tests/support/random_data.hpp"

namespace vlmark::test {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

class Vector : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Sizes, Vector, testing::Values(0, 1, 7, 4096, 9001));

TEST_P(Vector, BlockSquareSumsMatchALoop) {
  const int n = GetParam();
  const auto x = gaussian(n, 1);
  for (const int block : {1, 3, 4096, 100000}) {
    const int blocks = (n + block - 1) / block;
    const Vec<double> sums("sums", blocks);
    kernels::block_square_sums(Exec{}, to_view<float>(x), block, sums);
    const auto found = on_host(sums);
    for (int b = 0; b < blocks; ++b) {
      double expected = 0;
      for (int i = b * block; i < std::min(n, (b + 1) * block); ++i)
        expected += static_cast<double>(x[i]) * x[i];
      EXPECT_NEAR(found(b), expected, 1e-12 * expected);
    }
  }
}

TEST_P(Vector, BlockSquareSumsDoNotDependOnWhereASliceBegins) {
  const int n = GetParam(), block = 64, skipped = n / 2 / block;
  const auto x = to_view<float>(gaussian(n, 1));
  const Vec<double> whole("whole", (n + block - 1) / block);
  const Vec<double> part("part", whole.extent(0) - skipped);
  const Vec<float> slice = Kokkos::subview(x, Kokkos::pair<int, int>(skipped * block, n));
  kernels::block_square_sums(Exec{}, x, block, whole);
  kernels::block_square_sums(Exec{}, slice, block, part);
  const auto of_part = on_host(part), of_whole = on_host(whole);
  for (int b = 0; b < part.extent_int(0); ++b) EXPECT_EQ(of_part(b), of_whole(skipped + b));
}

TEST_P(Vector, AddInPlaceAdds) {
  const int n = GetParam();
  const auto a = gaussian(n, 1), b = gaussian(n, 2);
  const auto view = to_view<float>(a);
  kernels::add_in_place(Exec{}, view, to_view<float>(b));
  const auto sum = to_host(view);
  for (int i = 0; i < n; ++i) EXPECT_EQ(sum[i], a[i] + b[i]);
}

TEST_P(Vector, MeanOfRowsIsTheirMeanAndOfEqualOnesThemselves) {
  const int n = GetParam();
  for (const int rows : {1, 2, 3, 6, 7}) {
    const auto one = gaussian(n, 1), values = gaussian(rows * n, 2);
    std::vector<float> equal;
    for (int r = 0; r < rows; ++r) equal.insert(equal.end(), one.begin(), one.end());
    const auto same = to_view<float>(equal), other = to_view<float>(values);
    const auto mean_of = [&](const Vec<float>& x) {
      const Vec<float> mean(x.data(), n);  // in place of row 0
      kernels::mean_of_rows(Exec{}, kernels::Mat<const float>(x.data(), rows, n), mean);
      return to_host(mean);
    };
    const auto of_same = mean_of(same), of_other = mean_of(other);
    for (int i = 0; i < n; ++i) {
      EXPECT_EQ(of_same[i], one[i]) << rows << " rows, element " << i;
      double sum = 0;
      for (int r = 0; r < rows; ++r) sum += values[r * n + i];
      EXPECT_NEAR(of_other[i], sum / rows, 4e-6) << rows << " rows, element " << i;
    }
  }
}

TEST_P(Vector, ConversionsRoundOnce) {
  const int n = GetParam();
  const auto values = gaussian(n, 1, 100.0f);
  const auto x = to_view<float>(values);
  const Vec<bf16> half("half", n), half_copy("half_copy", n);
  const Vec<float> back("back", n), copy("copy", n);
  kernels::convert(Exec{}, x, half);
  kernels::convert(Exec{}, half, back);
  kernels::convert(Exec{}, half, half_copy);
  kernels::convert(Exec{}, x, copy);
  EXPECT_EQ(to_host(copy), to_double(values));
  EXPECT_EQ(to_host(half_copy), to_host(half));
  const auto halves = on_host(half);
  const auto floats = on_host(back);
  for (int i = 0; i < n; ++i) {
    EXPECT_EQ(halves(i).bits, to_bf16(values[i]).bits);
    EXPECT_EQ(floats(i), widen(halves(i)));
  }
}

TEST(MatrixConversions, FollowStridesAndKeepSpecialValues) {
  const float infinity = std::numeric_limits<float>::infinity();
  const auto x = to_view<float>({1, 1.00390625f, -infinity, 1e-40f, std::nanf(""), 3.4e38f}, 2, 3);
  const Mat<bf16> wide("wide", 2, 7);
  const Mat<float> back("back", 2, 3), copy("copy", 2, 3);
  kernels::convert(Exec{}, x, kernels::columns(wide, 2, 5));
  kernels::convert(Exec{}, kernels::columns(wide, 2, 5), back);
  kernels::convert(Exec{}, x, copy);
  const Mat<bf16> half("half", 2, 3);
  kernels::convert(Exec{}, kernels::columns(wide, 2, 5), half);
  const auto b = on_host(back);
  EXPECT_EQ(b(0, 1), 1.0f);  // a tie, to even
  EXPECT_EQ(b(0, 2), -infinity);
  EXPECT_EQ(b(1, 0), widen(to_bf16(1e-40f)));
  EXPECT_TRUE(std::isnan(b(1, 1)));
  EXPECT_EQ(b(1, 2), infinity);  // above the largest bf16
  EXPECT_EQ(on_host(copy)(1, 0), 1e-40f);
  EXPECT_EQ(widen(on_host(half)(1, 2)), infinity);
  EXPECT_EQ(on_host(wide)(0, 1).bits, 0);
  EXPECT_EQ(on_host(wide)(1, 5).bits, 0);
}

TEST_P(Vector, CountsNonFiniteElements) {
  const int n = GetParam();
  auto values = gaussian(n, 1);
  EXPECT_EQ(kernels::count_non_finite(Exec{}, to_view<float>(values)), 0u);
  std::size_t planted = 0;
  const float infinity = std::numeric_limits<float>::infinity();
  for (int i = 0; i < n; i += 5) values[i] = i % 2 ? std::nanf("") : -infinity, ++planted;
  EXPECT_EQ(kernels::count_non_finite(Exec{}, to_view<float>(values)), planted);
  EXPECT_EQ(kernels::count_non_finite(Exec{}, to_view<bf16>(values)), planted);
}

TEST_P(Vector, NormalsAreTheStreamsInEverySlicing) {
  const int n = GetParam();
  const Philox stream(42, "model.layers.0.mlp.up_proj.weight");
  const std::uint64_t far = (std::uint64_t{1} << 33) + 5;
  const Vec<float> x("x", n);
  const Vec<bf16> half("half", n);
  kernels::fill_normal(Exec{}, stream, 0.02f, x, far);
  kernels::fill_normal(Exec{}, stream, 0.02f, half, far);
  const auto floats = on_host(x);
  const auto halves = on_host(half);
  for (int i = 0; i < n; ++i) {
    const float expected = stream.normal(far + static_cast<std::uint64_t>(i)) * 0.02f;
    EXPECT_EQ(floats(i), expected);
    EXPECT_EQ(halves(i).bits, to_bf16(expected).bits);
  }
}

TEST(Fill, WritesTheRoundedValueInsideTheViewOnly) {
  const Vec<float> x("x", 5);
  const Vec<bf16> half("half", 5);
  const Mat<float> wide("wide", 3, 6);
  const Mat<bf16> matrix("matrix", 3, 2);
  kernels::fill(Exec{}, 0.1f, x);
  kernels::fill(Exec{}, 0.1f, half);
  kernels::fill(Exec{}, 0.1f, kernels::columns(wide, 1, 3));
  kernels::fill(Exec{}, 0.1f, matrix);
  EXPECT_EQ(on_host(x)(4), 0.1f);
  EXPECT_EQ(on_host(half)(4).bits, to_bf16(0.1f).bits);
  EXPECT_EQ(on_host(matrix)(2, 1).bits, to_bf16(0.1f).bits);
  const auto w = on_host(wide);
  EXPECT_EQ(w(2, 0), 0.0f);
  EXPECT_EQ(w(2, 2), 0.1f);
  EXPECT_EQ(w(2, 3), 0.0f);
}

TEST(VectorErrors, NameTheArgument) {
  const Vec<float> three("three", 3);
  EXPECT_THAT([&] { kernels::block_square_sums(Exec{}, three, 0, Vec<double>("sums", 1)); },
              ThrowsMessage<ValueError>(HasSubstr("argument 'block' is 0")));
  EXPECT_THAT([&] { kernels::block_square_sums(Exec{}, three, 2, Vec<double>("sums", 1)); },
              ThrowsMessage<ShapeError>(HasSubstr("argument 'sums' has shape [1] (expected [2])")));
  EXPECT_THAT([&] { kernels::add_in_place(Exec{}, three, Vec<float>("b", 2)); },
              ThrowsMessage<ShapeError>(HasSubstr("argument 'b'")));
  EXPECT_THAT([&] { kernels::mean_of_rows(Exec{}, kernels::Mat<float>("rows", 2, 4), three); },
              ThrowsMessage<ShapeError>(HasSubstr("mean_of_rows: argument 'mean'")));
  EXPECT_THAT([&] { kernels::convert(Exec{}, three, Vec<bf16>("y", 2)); },
              ThrowsMessage<ShapeError>(HasSubstr("convert: argument 'y'")));
  EXPECT_THAT([&] { kernels::fill_normal(Exec{}, Philox(1, "x"), std::nanf(""), three); },
              ThrowsMessage<ValueError>(HasSubstr("argument 'scale' is nan")));
}

}  // namespace
}  // namespace vlmark::test
