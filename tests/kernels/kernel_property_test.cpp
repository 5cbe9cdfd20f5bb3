#include <cmath>

#include "kernels/activation.hpp"
#include "kernels/cross_entropy.hpp"
#include "kernels/device_traits.hpp"
#include "kernels/embedding.hpp"
#include "kernels/norm.hpp"
#include "kernels/reduce.hpp"
#include "kernels/rotary.hpp"
#include "kernels/rows.hpp"
#include "tests/kernels/view_data.hpp"
#include "tests/support/expect_close.hpp"
#include "tests/support/random_data.hpp"

namespace vlmark::test {
namespace {

constexpr double kU = kRoundoff<float>;

TEST(SoftmaxProperty, GradientOfARowSumsToZeroAndProbabilitiesToOne) {
  const int rows = 6, vocab = 1234;
  const auto logits = to_view<float>(gaussian(rows * vocab, 1, 5.0f), rows, vocab);
  const auto targets = integers(rows, 2, vocab);
  const Vec<float> losses("losses", rows);
  kernels::softmax_cross_entropy(Exec{}, logits, to_view(targets), 1.0f, losses, true);
  const auto gradient = to_host(logits);
  const auto loss = to_host(losses);
  for (int t = 0; t < rows; ++t) {
    double sum = 1;  // the target's -1 taken back
    for (int v = 0; v < vocab; ++v) {
      const double p = gradient[t * vocab + v] + (v == targets[t] ? 1 : 0);
      EXPECT_GE(p, -2 * kU);
      sum += gradient[t * vocab + v];
    }
    // The sum of the row carries row_sum's error; each probability two roundings more.
    EXPECT_NEAR(sum, 1, (row_sum_depth(vocab) + 4) * kU);
    // exp(-loss) is the target's probability.
    EXPECT_NEAR(std::exp(-loss[t]), gradient[t * vocab + targets[t]] + 1, 1e-5);
  }
}

TEST(SoftmaxProperty, LossDoesNotChangeWhenAllLogitsMove) {
  const int vocab = 100;
  auto values = gaussian(vocab, 1);
  for (float& value : values) value = std::round(value * 64) / 64;  // so that + 512 is exact
  const Vec<float> losses("losses", 1), moved("moved", 1);
  const auto target = to_view(std::vector<int>{17});
  kernels::softmax_cross_entropy(Exec{}, to_view<float>(values, 1, vocab), target, 1, losses,
                                 false);
  for (float& value : values) value += 512;
  kernels::softmax_cross_entropy(Exec{}, to_view<float>(values, 1, vocab), target, 1, moved, false);
  EXPECT_EQ(to_host(losses), to_host(moved));
}

TEST(NormProperty, RmsNormIsScaleInvariant) {
  const int tokens = 4, hidden = 333;
  auto values = gaussian(tokens * hidden, 1);
  const auto w = to_view<float>(gaussian(hidden, 2));
  const Mat<float> y("y", tokens, hidden), scaled("scaled", tokens, hidden);
  const Vec<float> r("r", tokens);
  kernels::rms_norm(Exec{}, to_view<float>(values, tokens, hidden), w, 1e-30f, y, r);
  for (float& value : values) value *= 1024;  // a power of two: every rounding is the same
  kernels::rms_norm(Exec{}, to_view<float>(values, tokens, hidden), w, 1e-30f, scaled, r);
  EXPECT_EQ(to_host(scaled), to_host(y));
}

TEST(NormProperty, LayerNormHasMeanZeroAndVarianceOneAndIgnoresAShift) {
  const int hidden = 500;
  auto values = gaussian(hidden, 1);
  for (float& value : values) value = std::round(value * 256) / 256;  // so that + 1024 is exact
  const auto w = to_view<float>(std::vector<float>(hidden, 1.0f));
  const Vec<float> b("b", hidden), mean("mean", 1), rstd("rstd", 1);
  const Mat<float> y("y", 1, hidden), shifted("shifted", 1, hidden);
  kernels::layer_norm(Exec{}, to_view<float>(values, 1, hidden), w, b, 1e-12f, y, mean, rstd);
  double sum = 0, squares = 0;
  for (const double value : to_host(y)) sum += value, squares += value * value;
  EXPECT_NEAR(sum / hidden, 0, row_sum_depth(hidden) * kU);
  EXPECT_NEAR(squares / hidden, 1, 2 * row_sum_depth(hidden) * kU);
  for (float& value : values) value += 1024;
  kernels::layer_norm(Exec{}, to_view<float>(values, 1, hidden), w, b, 1e-12f, shifted, mean, rstd);
  // The mean is now near 1024 and known to depth * u of that.
  EXPECT_TRUE(close(to_host(shifted), to_host(y), 0, 1024 * 2 * row_sum_depth(hidden) * kU));
}

TEST(NormProperty, BackwardIsOrthogonalToTheInput) {
  // y does not change along x, so x . dx = 0 (up to eps).
  const int tokens = 3, hidden = 200;
  const auto x = to_view<float>(gaussian(tokens * hidden, 1), tokens, hidden);
  const auto w = to_view<float>(gaussian(hidden, 2));
  const auto dy = to_view<float>(gaussian(tokens * hidden, 3), tokens, hidden);
  const Mat<float> y("y", tokens, hidden), dx("dx", tokens, hidden);
  const Vec<float> r("r", tokens);
  kernels::rms_norm(Exec{}, x, w, 1e-12f, y, r);
  kernels::rms_norm_backward(Exec{}, dy, x, w, r, dx, Vec<float>(), Mat<float>());
  const auto xs = on_host(x), dxs = on_host(dx);
  for (int t = 0; t < tokens; ++t) {
    double projection = 0, size = 0;
    for (int h = 0; h < hidden; ++h) {
      projection += static_cast<double>(xs(t, h)) * dxs(t, h);
      size += std::abs(static_cast<double>(xs(t, h)) * dxs(t, h));
    }
    EXPECT_LE(std::abs(projection), 3 * row_sum_depth(hidden) * kU * size);
  }
}

TEST(RotationProperty, KeepsLengthAndDependsOnTheDistanceOnly) {
  const int head_dim = 128;
  const auto pair = gaussian(2 * head_dim, 1);
  const auto rotated_dot = [&](int first, int second) {
    const auto x = to_view<float>(pair, 2, head_dim);
    const Mat<float> table("table", 2, head_dim);
    kernels::mrope_table(Exec{},
                         to_view(std::vector<int>{first, second, first, second, first, second}),
                         {16, 24, 24}, 1e6f, table);
    kernels::rotate_half(Exec{}, x, table, 1, head_dim, false);
    const auto rotated = on_host(x);
    std::array<double, 3> dots{};  // |a|^2, |b|^2, a . b
    for (int i = 0; i < head_dim; ++i) {
      const double a = rotated(0, i), b = rotated(1, i);
      dots[0] += a * a, dots[1] += b * b, dots[2] += a * b;
    }
    return dots;
  };
  const auto still = rotated_dot(0, 0), near = rotated_dot(3, 10), far = rotated_dot(1003, 1010);
  // Squares of a rotated pair err by 8 u; angles near 1000 are rounded to 1000 u.
  EXPECT_NEAR(near[0], still[0], 16 * kU * still[0]);
  EXPECT_NEAR(far[1], still[1], 16 * kU * still[1]);
  EXPECT_NEAR(far[2], near[2], 4 * 1000 * kU * std::sqrt(still[0] * still[1]));
}

TEST(ActivationProperty, GeluDiffersFromItsMirrorImageByX) {
  // gelu(x) - gelu(-x) = x, for both forms.
  const int n = 1000;
  auto values = gaussian(n, 1, 3.0f);
  const auto x = to_view<float>(values, 1, n);
  for (float& value : values) value = -value;
  const auto mirrored = to_view<float>(values, 1, n);
  const Mat<float> y("y", 1, n), z("z", 1, n);
  const auto expect_difference = [&] {
    const auto a = to_host(y), b = to_host(z), expected = to_host(x);
    for (int i = 0; i < n; ++i)
      EXPECT_NEAR(a[i] - b[i], expected[i], 8 * kU * std::abs(expected[i]));
  };
  kernels::quick_gelu(Exec{}, x, y);
  kernels::quick_gelu(Exec{}, mirrored, z);
  expect_difference();
  kernels::gelu_erf(Exec{}, x, y);
  kernels::gelu_erf(Exec{}, mirrored, z);
  expect_difference();
}

// Everything that sums, on 1 and on 3 threads.
std::vector<double> all_sums(const Exec& exec) {
  const int tokens = 203, hidden = 1100, vocab = 50;
  const auto x = to_view<float>(gaussian(tokens * hidden, 1), tokens, hidden);
  const auto dy = to_view<float>(gaussian(tokens * hidden, 2), tokens, hidden);
  const auto w = to_view<float>(gaussian(hidden, 3)), b = to_view<float>(gaussian(hidden, 4));
  const Mat<float> y("y", tokens, hidden), d_table("d_table", vocab, hidden);
  const Mat<float> workspace("workspace", layer_norm_workspace_rows(tokens), hidden);
  const Vec<float> mean("mean", tokens), rstd("rstd", tokens), dw("dw", hidden), db("db", hidden),
      losses("losses", tokens);
  const Vec<double> sums("sums", 10);
  const auto ids = integers(tokens, 5, vocab);
  std::vector<double> all;
  const auto keep = [&](const auto& view) {
    exec.fence("test::keep");
    const auto values = to_host(view);
    all.insert(all.end(), values.begin(), values.end());
  };
  kernels::rms_norm(exec, x, w, 1e-6f, y, rstd);
  keep(y);
  kernels::rms_norm_backward(exec, dy, x, w, rstd, y, dw, workspace);
  keep(y);
  kernels::layer_norm(exec, x, w, b, 1e-6f, y, mean, rstd);
  keep(y);
  kernels::layer_norm_backward(exec, dy, x, w, mean, rstd, y, dw, db, workspace);
  keep(y);
  kernels::bias_gradient(exec, dy, db, workspace);
  keep(dw);
  keep(db);
  kernels::embedding_scatter_add(exec, dy, to_view(kernels::sorted_order(ids)), to_view(ids),
                                 d_table);
  keep(d_table);
  kernels::softmax_cross_entropy(exec, x, to_view(integers(tokens, 6, hidden)), 0.5f, losses, true);
  keep(x);
  keep(losses);
  kernels::block_square_sums(exec, Vec<float>(dy.data(), tokens * hidden), tokens * hidden / 10,
                             sums);
  const auto found = on_host(sums);
  for (int i = 0; i < 10; ++i) all.push_back(found(i));
  return all;
}

TEST(DeterminismProperty, OneAndManyThreadsGiveTheSameBits) {
  if (kernels::kOnDevice) GTEST_SKIP() << "a device has no threads to choose";
  if (Exec{}.concurrency() < 4) GTEST_SKIP() << "needs 4 threads";
  const auto parts = Kokkos::Experimental::partition_space(Exec{}, 1, 3);
  ASSERT_EQ(parts[0].concurrency(), 1);
  ASSERT_EQ(parts[1].concurrency(), 3);
  EXPECT_EQ(all_sums(parts[0]), all_sums(parts[1]));
  EXPECT_EQ(all_sums(parts[0]), all_sums(Exec{}));
}

}  // namespace
}  // namespace vlmark::test
