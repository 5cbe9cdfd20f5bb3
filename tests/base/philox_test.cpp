#include "src/base/philox.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <vector>

namespace vlmark {
namespace {

using Counter = std::array<std::uint32_t, 4>;

// Random123 (Salmon et al., SC11), tests/kat_vectors, "philox4x32 10".
TEST(Philox, KnownAnswers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (Counter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  const std::uint32_t f = 0xffffffff;
  EXPECT_EQ(philox4x32({f, f, f, f}, {f, f}),
            (Counter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Counter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

// Fowler, Noll, Vo: published test vectors of 64-bit FNV-1a.
TEST(HashName, KnownAnswers) {
  EXPECT_EQ(hash_name(""), 0xcbf29ce484222325u);
  EXPECT_EQ(hash_name("a"), 0xaf63dc4c8601ec8cu);
  EXPECT_EQ(hash_name("foobar"), 0x85944171f73967e8u);
}

TEST(Philox, BlockPlacesIndexStreamAndSeed) {
  const std::uint64_t seed = 0x0123456789abcdef, index = 0xfedcba9876543210;
  const std::uint64_t stream = hash_name("model.norm.weight");
  const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
  EXPECT_EQ(Philox(seed, "model.norm.weight").block(index),
            philox4x32({low(index), low(index >> 32), low(stream), low(stream >> 32)},
                       {low(seed), low(seed >> 32)}));
}

TEST(Philox, EachOfSeedStreamAndIndexChangesTheBits) {
  const auto reference = Philox(1, "a").block(0);
  EXPECT_NE(Philox(2, "a").block(0), reference);
  EXPECT_NE(Philox(std::uint64_t{1} << 32 | 1, "a").block(0), reference);
  EXPECT_NE(Philox(1, "b").block(0), reference);
  EXPECT_NE(Philox(1, "a").block(1), reference);
  EXPECT_NE(Philox(1, "a").block(std::uint64_t{1} << 32), reference);
}

TEST(PhiloxNormal, IsTheScaledSumOfEightUniforms) {
  const Philox random(11, "weights");
  for (std::uint64_t i = 0; i < 1000; ++i) {
    double sum = 0;
    for (const std::uint32_t word : random.block(i)) sum += (word & 0xffff) + (word >> 16);
    const double variance = 8 * (65536.0 * 65536.0 - 1) / 12;
    const double expected = (sum - 8 * 65535 / 2.0) / std::sqrt(variance);
    // The constant and one product, both rounded to float.
    EXPECT_NEAR(random.normal(i), expected, std::abs(expected) * 3 * 0x1p-24) << i;
  }
}

TEST(PhiloxNormal, MomentsOfANormalDeviate) {
  const Philox random(5, "moments");
  const int n = 1 << 20;
  double mean = 0, square = 0, cube = 0, fourth = 0, largest = 0;
  for (int i = 0; i < n; ++i) {
    const double x = random.normal(static_cast<std::uint64_t>(i));
    mean += x / n;
    square += x * x / n;
    cube += x * x * x / n;
    fourth += x * x * x * x / n;
    largest = std::max(largest, std::abs(x));
  }
  // Five standard errors of each estimate: sqrt(1/n), sqrt(2/n), sqrt(15/n), sqrt(96/n).
  const double unit = 5 / std::sqrt(n);
  EXPECT_NEAR(mean, 0, unit);
  EXPECT_NEAR(square, 1, unit * std::sqrt(2));
  EXPECT_NEAR(cube, 0, unit * std::sqrt(15));
  EXPECT_NEAR(fourth, 3 - 6.0 / 5 / 8, unit * std::sqrt(96));  // eight uniforms: kurtosis - 0.15
  EXPECT_LT(largest, std::sqrt(24.0));                         // end of the support
  EXPECT_GT(largest, 4.0);
}

TEST(PhiloxNormal, NeighboursAndStreamsAreUncorrelated) {
  const Philox a(5, "a"), b(5, "b"), next_seed(6, "a");
  const int n = 1 << 18;
  double lag = 0, streams = 0, seeds = 0;
  for (std::uint64_t i = 0; i < n; ++i) {
    lag += a.normal(i) * a.normal(i + 1) / n;
    streams += a.normal(i) * b.normal(i) / n;
    seeds += a.normal(i) * next_seed.normal(i) / n;
  }
  const double limit = 5 / std::sqrt(n);
  EXPECT_NEAR(lag, 0, limit);
  EXPECT_NEAR(streams, 0, limit);
  EXPECT_NEAR(seeds, 0, limit);
}

TEST(PhiloxNormal, OrderOfCallsDoesNotMatter) {
  const int n = 4097;
  std::vector<std::uint64_t> order(n);
  std::iota(order.begin(), order.end(), std::uint64_t{0});
  std::vector<float> forward(n), shuffled(n);
  const Philox random(3, "order");
  for (const auto i : order) forward[i] = random.normal(i);
  std::sort(order.begin(), order.end(), [](auto x, auto y) {
    return x * 2654435761u % 4099 < y * 2654435761u % 4099;  // a fixed permutation
  });
  for (const auto i : order) shuffled[i] = Philox(3, "order").normal(i);
  EXPECT_EQ(std::memcmp(forward.data(), shuffled.data(), n * sizeof(float)), 0);
}

TEST(PhiloxBelow, StaysInRangeAndHitsEverything) {
  const Philox random(9, "below");
  for (const std::uint64_t bound : {1, 2, 7, 10}) {
    std::vector<int> count(bound);
    const int n = 20000;
    for (std::uint64_t i = 0; i < n; ++i) {
      const std::uint64_t x = random.below(i, bound);
      ASSERT_LT(x, bound);
      ++count[x];
    }
    const double mean = static_cast<double>(n) / static_cast<double>(bound);
    for (const int c : count) EXPECT_NEAR(c, mean, 5 * std::sqrt(mean)) << "bound " << bound;
  }
  const std::uint64_t all = ~std::uint64_t{0};
  std::uint64_t high = 0;
  for (std::uint64_t i = 0; i < 64; ++i) high |= random.below(i, all) >> 63;
  EXPECT_EQ(high, 1u);  // the upper half of a 64-bit range is reached
}

TEST(Philox, WorksInConstantExpressions) {
  static_assert(philox4x32({0, 0, 0, 0}, {0, 0})[0] == 0x6627e8d5);
  static_assert(hash_name("a") == 0xaf63dc4c8601ec8cu);
}

}  // namespace
}  // namespace vlmark
