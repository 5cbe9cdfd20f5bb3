#include "kernels/norm.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "kernels/reference/norm.hpp"
#include "tests/kernels/view_data.hpp"
#include "tests/support/expect_close.hpp"
#include "tests/support/random_data.hpp"

namespace vlmark::test {
namespace {

namespace reference = kernels::reference;

constexpr float kEps = 1e-6f;

struct Case {
  int tokens, hidden;
};

template <class T>
struct Data {
  explicit Data(Case c)
      : x(to_view<T>(gaussian(c.tokens * c.hidden, 7), c.tokens, c.hidden)),
        w(to_view<T>(gaussian(c.hidden, 8))),
        b(to_view<T>(gaussian(c.hidden, 9))),
        dy(to_view<T>(gaussian(c.tokens * c.hidden, 10), c.tokens, c.hidden)),
        y("test::y", c.tokens, c.hidden),
        dx(to_view<float>(gaussian(c.tokens * c.hidden, 13), c.tokens, c.hidden)),
        dw(to_view<float>(gaussian(c.hidden, 11))),
        db(to_view<float>(gaussian(c.hidden, 12))),
        mean("test::mean", c.tokens),
        r("test::r", c.tokens),
        workspace("test::workspace", layer_norm_workspace_rows(c.tokens), c.hidden) {}
  Mat<T> x;
  Vec<T> w, b;
  Mat<T> dy, y;
  Mat<float> dx;  // the stream's gradient, with something in it
  Vec<float> dw, db, mean, r;
  Mat<float> workspace;
};

/// Largest scale * (|g| + |n| mean|g n| + mean|g|): size of what dx is the difference of.
template <class T>
double dx_terms(const Data<T>& d, bool centred) {
  const auto x = to_host(d.x), dy = to_host(d.dy), w = to_host(d.w), r = to_host(d.r),
             mean = to_host(d.mean);
  const std::size_t hidden = w.size();
  double largest = 0;
  for (std::size_t t = 0; t < r.size(); ++t) {
    double mean_g = 0, mean_gn = 0, g_max = 0, n_max = 0;
    for (std::size_t h = 0; h < hidden; ++h) {
      const double n = std::abs(x[t * hidden + h] - (centred ? mean[t] : 0)) * r[t];
      const double g = std::abs(w[h] * dy[t * hidden + h]);
      mean_g += g / hidden, mean_gn += g * n / hidden;
      g_max = std::max(g_max, g), n_max = std::max(n_max, n);
    }
    largest = std::max(largest, r[t] * (g_max + n_max * mean_gn + (centred ? mean_g : 0)));
  }
  return largest;
}

std::vector<double> sum_of(std::vector<double> a, const std::vector<double>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
  return a;
}

/// Higham 2002, eq. 4.4, of the sum over tokens that the gradients are; every term is at most
/// |dy| max * |n| max, and |n| <= sqrt(hidden).
template <class T>
double dw_tolerance(const Data<T>& d, double row_depth) {
  const double tokens = d.x.extent(0), hidden = d.x.extent(1);
  return (column_sum_depth() + row_depth) * kRoundoff<float> * (tokens + 1) *
         (max_abs(to_host(d.dy)) * std::sqrt(hidden) + 5);
}

template <class T>
void check_rms_norm(Case c) {
  Data<T> d(c);
  const auto x = to_host(d.x), w = to_host(d.w), dy = to_host(d.dy), dw = to_host(d.dw),
             dx = to_host(d.dx);
  const double depth = row_sum_depth(c.hidden) + 8;
  kernels::rms_norm(Exec{}, d.x, d.w, kEps, d.y, d.r);
  EXPECT_TRUE(close(to_host(d.y), reference::rms_norm(x, w, c.hidden, kEps),
                    kRoundoff<T> + depth * kRoundoff<float>, 0));

  kernels::rms_norm_backward(Exec{}, d.dy, d.x, d.w, d.r, d.dx, d.dw, d.workspace);
  const auto expected = reference::rms_norm_backward(dy, x, w, c.hidden, kEps);
  EXPECT_TRUE(close(to_host(d.dx), sum_of(expected.dx, dx), kRoundoff<float>,
                    3 * depth * kRoundoff<float> * dx_terms(d, false)));
  EXPECT_TRUE(close(to_host(d.dw), sum_of(expected.dw, dw), 0, dw_tolerance(d, depth)));
}

template <class T>
void check_layer_norm(Case c) {
  Data<T> d(c);
  const auto x = to_host(d.x), w = to_host(d.w), b = to_host(d.b), dy = to_host(d.dy),
             dw = to_host(d.dw), db = to_host(d.db), dx = to_host(d.dx);
  const double depth = row_sum_depth(c.hidden) + 8;
  kernels::layer_norm(Exec{}, d.x, d.w, d.b, kEps, d.y, d.mean, d.r);
  const auto y = reference::layer_norm(x, w, b, c.hidden, kEps);
  // The mean's error is depth * u * mean|x|; times rstd it is an absolute error of n.
  const double n_error = 3 * depth * kRoundoff<float> * max_abs(x) *
                         std::max(1.0, max_abs(to_host(d.r))) * (1 + max_abs(x));
  EXPECT_TRUE(close(to_host(d.y), y, kRoundoff<T>, n_error * max_abs(w) + 0x1p-24 * max_abs(b)));

  kernels::layer_norm_backward(Exec{}, d.dy, d.x, d.w, d.mean, d.r, d.dx, d.dw, d.db, d.workspace);
  const auto expected = reference::layer_norm_backward(dy, x, w, c.hidden, kEps);
  EXPECT_TRUE(
      close(to_host(d.dx), sum_of(expected.dx, dx), kRoundoff<float>,
            3 * depth * kRoundoff<float> * dx_terms(d, true) + 2 * n_error * dx_terms(d, true)));
  EXPECT_TRUE(close(to_host(d.dw), sum_of(expected.dw, dw), 0,
                    dw_tolerance(d, depth) + c.tokens * n_error * max_abs(dy)));
  EXPECT_TRUE(close(to_host(d.db), sum_of(expected.db, db), 0, dw_tolerance(d, 0)));
}

class Norm : public testing::TestWithParam<Case> {};

TEST_P(Norm, RmsMatchesReferenceInFloat) { check_rms_norm<float>(GetParam()); }
TEST_P(Norm, RmsMatchesReferenceInBf16) { check_rms_norm<bf16>(GetParam()); }
TEST_P(Norm, LayerMatchesReferenceInFloat) { check_layer_norm<float>(GetParam()); }
TEST_P(Norm, LayerMatchesReferenceInBf16) { check_layer_norm<bf16>(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Shapes, Norm,
                         testing::Values(Case{0, 8}, Case{1, 1}, Case{3, 7}, Case{32, 16},
                                         Case{33, 17}, Case{2, 1536}, Case{3, 2500},
                                         Case{131, 300}));

TEST(NormEps, StandsInsideTheRoot) {
  // A mean square (variance) equal to eps halves the square of the result; a row of zeros stays.
  const auto x = to_view<float>({1e-3f, -1e-3f, 1e-3f, -1e-3f, 0, 0, 0, 0}, 2, 4);
  const auto ones = to_view<float>({1, 1, 1, 1});
  const Vec<float> zeros("zeros", 4), mean("mean", 2), r("r", 2);
  const Mat<float> y("y", 2, 4);
  const double root_half = std::sqrt(0.5);
  const std::vector<double> expected{root_half, -root_half, root_half, -root_half, 0, 0, 0, 0};
  kernels::rms_norm(Exec{}, x, ones, kEps, y, r);
  EXPECT_TRUE(close(to_host(y), expected, 1e-6, 0));
  kernels::layer_norm(Exec{}, x, ones, zeros, kEps, y, mean, r);
  EXPECT_TRUE(close(to_host(y), expected, 1e-6, 0));
  EXPECT_TRUE(close(to_host(y),
                    reference::layer_norm(to_host(x), to_host(ones), to_host(zeros), 4, kEps), 1e-6,
                    0));
}

TEST(NormInPlace, GivesTheSameBits) {
  Data<float> d({5, 37}), same({5, 37});
  kernels::rms_norm(Exec{}, d.x, d.w, kEps, d.y, d.r);
  kernels::rms_norm(Exec{}, same.x, same.w, kEps, same.x, same.r);
  EXPECT_EQ(to_host(same.x), to_host(d.y));
}

TEST(NormBackward, SkipsFrozenWeights) {
  Data<float> d({3, 8}), frozen({3, 8});
  const Vec<float> none;
  const Mat<float> no_workspace;
  for (auto* data : {&d, &frozen})
    kernels::layer_norm(Exec{}, data->x, data->w, data->b, kEps, data->y, data->mean, data->r);
  kernels::layer_norm_backward(Exec{}, d.dy, d.x, d.w, d.mean, d.r, d.dx, d.dw, d.db, d.workspace);
  kernels::layer_norm_backward(Exec{}, frozen.dy, frozen.x, frozen.w, frozen.mean, frozen.r,
                               frozen.dx, none, none, no_workspace);
  EXPECT_EQ(to_host(frozen.dx), to_host(d.dx));
  kernels::rms_norm_backward(Exec{}, frozen.dy, frozen.x, frozen.w, frozen.r, frozen.dx, none,
                             no_workspace);
}

TEST(NormColumns, WorkOnAStridedBlock) {
  Data<float> d({4, 10});
  const Mat<float> wide("wide", 4, 30);
  Kokkos::deep_copy(kernels::columns(wide, 7, 17), d.x);
  const auto block = kernels::columns(wide, 7, 17);
  kernels::rms_norm(Exec{}, d.x, d.w, kEps, d.y, d.r);
  kernels::rms_norm(Exec{}, block, d.w, kEps, block, d.r);
  EXPECT_EQ(to_host(block), to_host(d.y));
  EXPECT_EQ(wide(2, 6), 0.0f);
  EXPECT_EQ(wide(2, 17), 0.0f);
}

TEST(NormErrors, NameTheArgument) {
  Data<float> d({2, 8});
  const Vec<float> seven("seven", 7), one("one", 1);
  using testing::HasSubstr;
  using testing::ThrowsMessage;
  EXPECT_THAT([&] { kernels::rms_norm(Exec{}, d.x, seven, kEps, d.y, d.r); },
              ThrowsMessage<ShapeError>(HasSubstr("argument 'w' has shape [7] (expected [8])")));
  EXPECT_THAT([&] { kernels::rms_norm(Exec{}, d.x, d.w, kEps, d.y, one); },
              ThrowsMessage<ShapeError>(HasSubstr("argument 'r' has shape [1] (expected [2])")));
  EXPECT_THAT([&] { kernels::layer_norm(Exec{}, d.x, d.w, seven, kEps, d.y, d.mean, d.r); },
              ThrowsMessage<ShapeError>(HasSubstr("layer_norm: argument 'b'")));
  EXPECT_THAT(
      [&] {
        kernels::rms_norm_backward(Exec{}, d.dy, d.x, d.w, d.r, d.dx, d.dw, Mat<float>("w", 0, 8));
      },
      ThrowsMessage<ShapeError>(HasSubstr("argument 'workspace' has shape [0, 8]")));
  for (const float eps : {0.0f, -1.0f, std::nanf("")})
    EXPECT_THAT([&] { kernels::rms_norm(Exec{}, d.x, d.w, eps, d.y, d.r); },
                ThrowsMessage<ValueError>(HasSubstr("argument 'eps' is ")));
}

}  // namespace
}  // namespace vlmark::test
