#include "kernels/activation.hpp"

#include <gmock/gmock.h>

#include "kernels/reference/activation.hpp"
#include "tests/kernels/view_data.hpp"
#include "tests/support/expect_close.hpp"
#include "tests/support/random_data.hpp"

namespace vlmark::test {
namespace {

namespace reference = kernels::reference;

struct Case {
  int tokens, width;
};

/// An activation is a product of x (or dy, up) with factors that are at most about 1 and known to
/// 3 ulp of 1 (kernels/math.hpp), plus fewer than ten roundings: 16 u |dy| max(1, |x|).
double tolerance(double size) { return 16 * kRoundoff<float> * size; }

template <class T>
void check_pointwise(Case c) {
  const auto data = gaussian(c.tokens * c.width, 1, 3.0f);
  const auto x = to_view<T>(data, c.tokens, c.width);
  const auto dy = to_view<T>(gaussian(c.tokens * c.width, 2), c.tokens, c.width);
  const Mat<T> y("y", c.tokens, c.width);
  const auto hx = to_host(x), hdy = to_host(dy);
  const double size = max_abs(hx), d_size = max_abs(hdy) * std::max(1.0, size);

  kernels::quick_gelu(Exec{}, x, y);
  EXPECT_TRUE(close(to_host(y), reference::quick_gelu(hx), kRoundoff<T>, tolerance(size)));
  kernels::gelu_erf(Exec{}, x, y);
  EXPECT_TRUE(close(to_host(y), reference::gelu_erf(hx), kRoundoff<T>, tolerance(size)));
  kernels::quick_gelu_backward(Exec{}, dy, x, y);
  EXPECT_TRUE(
      close(to_host(y), reference::quick_gelu_backward(hdy, hx), kRoundoff<T>, tolerance(d_size)));
  kernels::gelu_erf_backward(Exec{}, dy, x, y);
  EXPECT_TRUE(
      close(to_host(y), reference::gelu_erf_backward(hdy, hx), kRoundoff<T>, tolerance(d_size)));
}

template <class T>
void check_swiglu(Case c) {
  const auto gate_up = to_view<T>(gaussian(2 * c.tokens * c.width, 3, 3.0f), c.tokens, 2 * c.width);
  const auto dy = to_view<T>(gaussian(c.tokens * c.width, 4), c.tokens, c.width);
  const Mat<T> y("y", c.tokens, c.width), d("d", c.tokens, 2 * c.width);
  const auto h = to_host(gate_up), hdy = to_host(dy);
  const double size = max_abs(h) * max_abs(h);
  kernels::swiglu(Exec{}, gate_up, y);
  EXPECT_TRUE(close(to_host(y), reference::swiglu(h, c.width), kRoundoff<T>, tolerance(size)));
  kernels::swiglu_backward(Exec{}, dy, gate_up, d);
  const auto expected = reference::swiglu_backward(hdy, h, c.width);
  EXPECT_TRUE(close(to_host(d), expected, kRoundoff<T>, tolerance(max_abs(hdy) * size)));
  kernels::swiglu_backward(Exec{}, dy, gate_up, gate_up);  // in place
  EXPECT_EQ(to_host(gate_up), to_host(d));
}

class Activation : public testing::TestWithParam<Case> {};

TEST_P(Activation, PointwiseMatchReferenceInFloat) { check_pointwise<float>(GetParam()); }
TEST_P(Activation, PointwiseMatchReferenceInBf16) { check_pointwise<bf16>(GetParam()); }
TEST_P(Activation, SwigluMatchesReferenceInFloat) { check_swiglu<float>(GetParam()); }
TEST_P(Activation, SwigluMatchesReferenceInBf16) { check_swiglu<bf16>(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Shapes, Activation,
                         testing::Values(Case{0, 4}, Case{1, 1}, Case{3, 7}, Case{5, 129},
                                         Case{2, 5120}));

TEST(ActivationTails, StayFiniteAndKeepNaN) {
  const std::vector<float> extremes{-1e30f, -200, -90, -40, -5, 0, 5, 40, 90, 200, 1e30f};
  const int n = static_cast<int>(extremes.size());
  const auto x = to_view<float>(extremes, 1, n);
  const auto dy = to_view<float>(std::vector<float>(n, 1.0f), 1, n);
  const Mat<float> y("y", 1, n);
  kernels::quick_gelu(Exec{}, x, y);
  EXPECT_TRUE(close(to_host(y), reference::quick_gelu(to_host(x)), 1e-6, 1e-30));
  kernels::gelu_erf(Exec{}, x, y);
  EXPECT_TRUE(close(to_host(y), reference::gelu_erf(to_host(x)), 1e-6, 1e-5));
  kernels::quick_gelu_backward(Exec{}, dy, x, y);
  EXPECT_TRUE(
      close(to_host(y), reference::quick_gelu_backward(to_host(dy), to_host(x)), 1e-6, 1e-5));
  kernels::gelu_erf_backward(Exec{}, dy, x, y);
  EXPECT_TRUE(close(to_host(y), reference::gelu_erf_backward(to_host(dy), to_host(x)), 1e-6, 1e-5));

  const auto nan = to_view<float>({std::nanf("")}, 1, 1);
  const Mat<float> out("out", 1, 1);
  kernels::quick_gelu(Exec{}, nan, out);
  EXPECT_TRUE(std::isnan(to_host(out)[0]));
  kernels::gelu_erf(Exec{}, nan, out);
  EXPECT_TRUE(std::isnan(to_host(out)[0]));
}

TEST(ActivationErrors, NameTheArgument) {
  const Mat<float> x("x", 2, 6), narrow_y("y", 2, 3), wrong("wrong", 2, 4);
  using testing::HasSubstr;
  using testing::ThrowsMessage;
  EXPECT_THAT([&] { kernels::quick_gelu(Exec{}, x, wrong); },
              ThrowsMessage<ShapeError>(
                  HasSubstr("quick_gelu: argument 'y' has shape [2, 4] (expected [2, 6])")));
  EXPECT_THAT([&] { kernels::gelu_erf_backward(Exec{}, wrong, x, x); },
              ThrowsMessage<ShapeError>(HasSubstr("gelu_erf_backward: argument 'dy'")));
  EXPECT_THAT([&] { kernels::swiglu(Exec{}, wrong, narrow_y); },
              ThrowsMessage<ShapeError>(
                  HasSubstr("swiglu: argument 'gate_up' has shape [2, 4] (expected [2, 6])")));
}

}  // namespace
}  // namespace vlmark::test
