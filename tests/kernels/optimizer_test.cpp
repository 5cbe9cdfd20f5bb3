#include "kernels/optimizer.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "kernels/reference/optimizer.hpp"
#include "tests/kernels/view_data.hpp"
#include "tests/support/expect_close.hpp"
#include "tests/support/random_data.hpp"

namespace vlmark::test {
namespace {

class AdamW : public testing::TestWithParam<int> {};

TEST_P(AdamW, MatchesReferenceOverSteps) {
  const int n = GetParam();
  const auto start = gaussian(n, 1);
  const auto master = to_view<float>(start);
  const Vec<float> m("m", n), v("v", n);
  std::vector<double> p = to_double(start), m64(n), v64(n);
  double size = 0;  // of m and of what was averaged into it so far
  const double lr = 1e-2, beta1 = 0.9, beta2 = 0.95, eps = 1e-8, decay = 0.1;
  for (int step = 1; step <= 5; ++step) {
    const auto gradient = gaussian(n, 10 + step, 0.3f);
    const double bias1 = 1 - std::pow(beta1, step), bias2 = 1 - std::pow(beta2, step);
    kernels::adamw(Exec{}, {lr, beta1, beta2, eps, decay, bias1, bias2}, to_view<float>(gradient),
                   0.5f, master, m, v);
    kernels::reference::adamw({lr, beta1, beta2, eps, decay, bias1, bias2}, to_double(gradient),
                              0.5, p, m64, v64);
    // A step rounds p twice; the update is at most about 3 lr and has fewer than 16 roundings.
    const double u = kRoundoff<float>;
    EXPECT_TRUE(close(to_host(master), p, step * 3 * u, step * 16 * u * 3 * lr));
    size = std::max(size, 0.5 * max_abs(to_double(gradient)));
    EXPECT_TRUE(close(to_host(m), m64, 0, step * 4 * u * size));
    EXPECT_TRUE(close(to_host(v), v64, step * 6 * u, 0));
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, AdamW, testing::Values(0, 1, 7, 4097));

TEST(AdamWSteps, FirstStepMovesByTheLearningRate) {
  // With m = v = 0 and exact bias corrections the first update is lr * sign(g).
  const auto master = to_view<float>({1, 1});
  const Vec<float> m("m", 2), v("v", 2);
  kernels::adamw(Exec{}, {.lr = 0.25, .bias_correction1 = 0.1, .bias_correction2 = 0.001},
                 to_view<float>({4, -0.5f}), 1.0f, master, m, v);
  EXPECT_NEAR(to_host(master)[0], 0.75, 1e-6);
  EXPECT_NEAR(to_host(master)[1], 1.25, 1e-6);
}

TEST(AdamWSteps, DecayDoesNotPassThroughTheMoments) {
  const auto master = to_view<float>({2});
  const Vec<float> m("m", 1), v("v", 1);
  kernels::adamw(Exec{}, {.lr = 0.5, .weight_decay = 0.5}, to_view<float>({0}), 1.0f, master, m, v);
  EXPECT_EQ(to_host(master)[0], 1.5);
  EXPECT_EQ(to_host(m)[0], 0);
}

TEST(AdamWErrors, NameTheArgument) {
  const Vec<float> three("three", 3), two("two", 2);
  using testing::HasSubstr;
  using testing::ThrowsMessage;
  const auto run = [&](kernels::AdamW step, float scale = 1) {
    kernels::adamw(Exec{}, step, three, scale, three, three, three);
  };
  EXPECT_THAT([&] { kernels::adamw(Exec{}, {}, three, 1, three, two, three); },
              ThrowsMessage<ShapeError>(HasSubstr("argument 'm' has shape [2] (expected [3])")));
  EXPECT_THAT([&] { run({.lr = std::nan("")}); },
              ThrowsMessage<ValueError>(HasSubstr("argument 'lr' is nan")));
  EXPECT_THAT([&] { run({.beta2 = 1}); },
              ThrowsMessage<ValueError>(HasSubstr("argument 'beta2' is 1.0")));
  EXPECT_THAT([&] { run({.bias_correction1 = 0}); },
              ThrowsMessage<ValueError>(HasSubstr("argument 'bias_correction1' is 0.0")));
  EXPECT_THAT([&] { run({}, std::nanf("")); },
              ThrowsMessage<ValueError>(HasSubstr("argument 'gradient_scale' is nan")));
}

}  // namespace
}  // namespace vlmark::test
