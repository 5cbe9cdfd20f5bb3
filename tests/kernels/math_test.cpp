#include "kernels/math.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace vlmark::test {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Distance from `actual` to `expected` in units of the last place of fp32 at `expected`.
double ulps(float actual, double expected) {
  const int exponent = std::max(std::ilogb(expected), -126);  // subnormals share one spacing
  return std::abs(actual - expected) / std::ldexp(1.0, exponent - 23);
}

// Every 4,099th float of the interval, so that all exponents are met.
template <class F>
double worst(float from, float to, const F& error) {
  double largest = 0;
  const auto visit = [&](float x) {
    if (x >= from && x <= to) largest = std::max(largest, error(x));
  };
  for (std::uint32_t bits = 0; bits < 0x7f800000u; bits += 4099) {
    visit(std::bit_cast<float>(bits));
    visit(-std::bit_cast<float>(bits));
  }
  return largest;
}

TEST(Exponential, IsWithinItsBoundOverTheWholeRange) {
  const auto error = [](float x) {
    return ulps(kernels::exponential(x), std::exp(static_cast<double>(x)));
  };
  EXPECT_LE(worst(-87.3f, 88.72f, error), 1.5);
  EXPECT_LE(worst(-103.9f, -87.3f, error), 2.0);
}

TEST(Exponential, HasTheLimitsOfTheFunction) {
  EXPECT_EQ(kernels::exponential(0.0f), 1.0f);
  EXPECT_EQ(kernels::exponential(-104.1f), 0.0f);
  EXPECT_EQ(kernels::exponential(-kInfinity), 0.0f);
  EXPECT_EQ(kernels::exponential(88.8f), kInfinity);
  EXPECT_EQ(kernels::exponential(kInfinity), kInfinity);
  EXPECT_TRUE(std::isnan(kernels::exponential(std::nanf(""))));
}

TEST(Sigmoid, IsWithinItsBoundAndLimits) {
  const auto error = [](float x) {
    return ulps(kernels::sigmoid(x), 1 / (1 + std::exp(-static_cast<double>(x))));
  };
  EXPECT_LE(worst(-87.0f, 100.0f, error), 3.0);
  EXPECT_EQ(kernels::sigmoid(0.0f), 0.5f);
  EXPECT_EQ(kernels::sigmoid(-kInfinity), 0.0f);
  EXPECT_EQ(kernels::sigmoid(kInfinity), 1.0f);
  EXPECT_TRUE(std::isnan(kernels::sigmoid(std::nanf(""))));
}

TEST(ErrorFunction, IsWithinItsBoundAndLimits) {
  const auto error = [](float x) {
    return ulps(kernels::error_function(x), std::erf(static_cast<double>(x)));
  };
  EXPECT_LE(worst(-10.0f, 10.0f, error), 1.5);
  EXPECT_EQ(kernels::error_function(0.0f), 0.0f);
  EXPECT_EQ(kernels::error_function(kInfinity), 1.0f);
  EXPECT_EQ(kernels::error_function(-kInfinity), -1.0f);
  EXPECT_TRUE(std::isnan(kernels::error_function(std::nanf(""))));
}

}  // namespace
}  // namespace vlmark::test
