// States in bf16: every result is a neighbour of the exact one, right on average, and its bits depend
// on the element's place in the whole tensor alone.

#include "kernels/stochastic_rounding.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernels/optimizer.hpp"
#include "kernels/reduce.hpp"
#include "kernels/reference/optimizer.hpp"
#include "tests/kernels/view_data.hpp"
#include "tests/support/expect_close.hpp"
#include "tests/support/random_data.hpp"

namespace vlmark::test {
namespace {

using kernels::RoundingBits;

constexpr int many = 200'000;

std::vector<float> rounded(std::vector<float> values) {
  for (float& x : values) x = widen(to_bf16(x));
  return values;
}

RoundingBits bits_of(std::uint64_t step, std::uint64_t origin = 0) {
  return {Philox(7, "tensor"), step, origin};
}

/// Distance of neighbours in bf16 at x.
double spacing(double x) {
  int exponent = 0;
  std::frexp(x, &exponent);
  return std::ldexp(1.0, std::max(exponent - 8, -133));
}

/// Every value is a neighbour of the exact one, but for what computing that in fp32 from terms of
/// size 1 may lose, and they are right on average: five standard deviations, each below half a
/// spacing.
void expect_neighbours_and_no_bias(const std::vector<double>& values,
                                   const std::vector<double>& exact) {
  const double lost = 0x1p-21, cancelled = 0x1p-7;
  double mean = 0, counted = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    const double off = values[i] - exact[i];
    ASSERT_LT(std::abs(off), spacing(exact[i]) + lost) << values[i] << " of " << exact[i];
    if (std::abs(exact[i]) < cancelled) continue;  // `lost` may be a few spacings
    mean += off / spacing(exact[i]);
    ++counted;
  }
  ASSERT_GT(counted, 0);
  EXPECT_LT(std::abs(mean / counted), lost / spacing(cancelled) + 2.5 / std::sqrt(counted));
}

TEST(StochasticRounding, KeepsWhatBf16Holds) {
  const float values[] = {0.0f,
                          -0.0f,
                          1.0f,
                          -3.140625f,
                          0x1p-133f,
                          0x1.fep127f,
                          std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity()};
  for (const float x : values)
    for (const std::uint32_t random : {0u, 1u, 0x8000u, 0xffffu})
      EXPECT_EQ(kernels::round_stochastic(x, random).bits, to_bf16(x).bits) << x;
  for (const std::uint32_t nan : {0x7f800001u, 0xffffffffu})
    EXPECT_TRUE(std::isnan(widen(kernels::round_stochastic(std::bit_cast<float>(nan), 0xffffu))));
}

TEST(StochasticRounding, RoundsUpAsOftenAsTheDistanceSays) {
  // A quarter of the way from 1 to the next number, and the same below zero.
  int up = 0;
  for (std::uint32_t random = 0; random < 1u << 16; ++random) {
    const float x = widen(kernels::round_stochastic(1 + 0x1p-9f, random));
    up += x > 1;
    EXPECT_EQ(widen(kernels::round_stochastic(-1 - 0x1p-9f, random)), -x);
  }
  EXPECT_EQ(up, 1 << 14);
}

TEST(AdamWBf16, IsRightOnAverageAndNextToTheReference) {
  const auto p0 = rounded(gaussian(many, 1)), m0 = rounded(gaussian(many, 2, 0.1f)),
             g = rounded(gaussian(many, 3, 0.3f));
  auto v0 = rounded(gaussian(many, 4, 0.2f));
  for (float& v : v0) v = std::abs(v);
  const auto p = to_view<bf16>(p0), m = to_view<bf16>(m0), v = to_view<bf16>(v0);
  const kernels::AdamW step{1e-3, 0.9, 0.95, 1e-8, 0.1, 0.3, 0.4};
  kernels::adamw_rounded(Exec{}, step, to_view<bf16>(g), 0.5f, p, m, v, bits_of(3));
  std::vector<double> p64 = to_double(p0), m64 = to_double(m0), v64 = to_double(v0);
  kernels::reference::adamw({step.lr, step.beta1, step.beta2, step.eps, step.weight_decay,
                             step.bias_correction1, step.bias_correction2},
                            to_double(g), 0.5, p64, m64, v64);
  expect_neighbours_and_no_bias(to_host(m), m64);
  expect_neighbours_and_no_bias(to_host(v), v64);
  expect_neighbours_and_no_bias(to_host(p), p64);
}

TEST(AdamWBf16, UpdatesBelowHalfASpacingArriveOnAverage) {
  // 1 moves by 2^-12 of the spacing 2^-8 below it: to the nearest it would stay for ever.
  const std::vector<float> ones(many, 1.0f), zeros(many, 0.0f);
  const auto p = to_view<bf16>(ones), m = to_view<bf16>(zeros), v = to_view<bf16>(zeros);
  const double lr = 0x1p-12;
  double expected = 1;
  for (int step = 1; step <= 4; ++step) {
    kernels::adamw_rounded(Exec{}, {.lr = lr, .beta1 = 0, .beta2 = 0}, to_view<bf16>(ones), 1.0f, p,
                           m, v, bits_of(static_cast<std::uint64_t>(step)));
    expected -= lr;
  }
  double mean = 0;
  for (const double x : to_host(p)) mean += x / many;
  EXPECT_NEAR(mean, expected, 5 * 0x1p-9 / std::sqrt(many));
  EXPECT_EQ(to_host(m), to_double(ones));
}

TEST(AdamWBf16, StepsAndTensorsDrawTheirOwnBits) {
  const auto start = rounded(gaussian(1000, 1)), g = rounded(gaussian(1000, 2));
  const std::vector<float> ones(1000, 1.0f);
  const auto run = [&](const RoundingBits& bits) {
    const auto p = to_view<bf16>(start), m = to_view<bf16>(start), v = to_view<bf16>(ones);
    kernels::adamw_rounded(Exec{}, {.lr = 1e-3}, to_view<bf16>(g), 1.0f, p, m, v, bits);
    return to_host(p);
  };
  const auto one = run(bits_of(1));
  EXPECT_EQ(run(bits_of(1)), one);
  EXPECT_NE(run(bits_of(2)), one);
  EXPECT_NE(run({Philox(7, "other"), 1}), one);
  EXPECT_NE(run({Philox(8, "tensor"), 1}), one);
}

TEST(AddRounded, IsRightOnAverageAndNextToTheSum) {
  const auto a = rounded(gaussian(many, 1)), b = rounded(gaussian(many, 2, 0.01f)),
             c = gaussian(many, 3, 0.01f);
  const auto sum = to_view<bf16>(a), other = to_view<bf16>(a);
  kernels::add_in_place(Exec{}, sum, to_view<bf16>(b), bits_of(1));
  kernels::add_in_place(Exec{}, other, to_view<float>(c), bits_of(2));
  std::vector<double> with_b(many), with_c(many);
  for (std::size_t i = 0; i < many; ++i) {
    with_b[i] = static_cast<double>(a[i]) + b[i];
    with_c[i] = static_cast<double>(a[i]) + c[i];
  }
  expect_neighbours_and_no_bias(to_host(sum), with_b);
  expect_neighbours_and_no_bias(to_host(other), with_c);
}

/// Rounds a + b on the columns [begin, end) of a matrix, beginning in its middle, as a part.
TEST(AddRounded, BitsDependOnThePlaceInTheWholeMatrixAlone) {
  const std::size_t rows = 37, columns = 301;
  const auto a = rounded(gaussian(rows * columns, 1)), b = rounded(gaussian(rows * columns, 2));
  const auto whole = to_view<bf16>(a);
  kernels::add_in_place(Exec{}, whole, to_view<bf16>(b), bits_of(5));
  const auto expected = to_host(whole);
  for (const auto& [begin, end] :
       {std::pair<std::size_t, std::size_t>{0, 301}, {0, 100}, {100, 301}, {300, 301}})
    for (const std::size_t skipped : {std::size_t{0}, std::size_t{5}, 3 * (end - begin)}) {
      const std::size_t width = end - begin;
      std::vector<float> part_a, part_b;
      std::vector<double> part;
      for (std::size_t i = skipped; i < rows * width; ++i) {
        const std::size_t at = i / width * columns + begin + i % width;
        part_a.push_back(a[at]);
        part_b.push_back(b[at]);
        part.push_back(expected[at]);
      }
      const auto sum = to_view<bf16>(part_a);
      kernels::add_in_place(Exec{}, sum, to_view<bf16>(part_b),
                            {Philox(7, "tensor"), 5, skipped / width * columns + begin,
                             skipped % width, width, columns});
      EXPECT_EQ(to_host(sum), part) << begin << " to " << end << " from " << skipped;
    }
}

}  // namespace
}  // namespace vlmark::test
