#include "src/base/bf16.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "src/base/philox.hpp"

namespace vlmark {
namespace {

std::uint32_t bits(float x) { return std::bit_cast<std::uint32_t>(x); }
float from_bits(std::uint32_t x) { return std::bit_cast<float>(x); }

/// Nearest bf16 of a finite float, ties to even, by arithmetic in double instead of bits.
double rounded(double x) {
  if (x == 0) return x;
  int exponent = 0;
  std::frexp(x, &exponent);                 // |x| = m 2^exponent, 1/2 <= m < 1
  exponent = std::max(exponent, -125) - 8;  // eight significant bits; fewer below 2^-126
  const double unit = std::ldexp(1.0, exponent);
  const double result = std::nearbyint(x / unit) * unit;
  const double largest = std::ldexp(255.0, 120);
  return std::abs(result) > largest ? std::copysign(INFINITY, x) : result;
}

TEST(Bf16, WidenAndNarrowGiveEveryValueBack) {
  for (std::uint32_t b = 0; b < 65536; ++b) {
    const bf16 x{static_cast<std::uint16_t>(b)};
    EXPECT_EQ(bits(widen(x)), b << 16);
    const bool is_nan = (b & 0x7fff) > 0x7f80;
    const std::uint32_t expected = is_nan ? b | 0x40 : b;  // NaN becomes quiet, nothing else moves
    EXPECT_EQ(to_bf16(widen(x)).bits, expected) << std::hex << b;
    EXPECT_EQ(std::isnan(widen(x)), is_nan) << std::hex << b;
  }
}

TEST(Bf16, NeighboursOfEveryTieRoundToNearestEven) {
  // Between each finite value and its successor away from zero: just below, at and just above the
  // middle. The successor of the largest finite value is infinity.
  for (std::uint32_t b = 0; b < 65536; ++b) {
    if ((b & 0x7fff) >= 0x7f80) continue;
    const std::uint32_t middle = b << 16 | 0x8000;
    EXPECT_EQ(to_bf16(from_bits(middle - 1)).bits, b) << std::hex << b;
    EXPECT_EQ(to_bf16(from_bits(middle)).bits, b + (b & 1)) << std::hex << b;
    EXPECT_EQ(to_bf16(from_bits(middle + 1)).bits, b + 1) << std::hex << b;
  }
}

TEST(Bf16, EqualsTheDoubleReferenceOnRandomFloats) {
  const Philox random(17, "bf16");
  for (std::uint64_t i = 0; i < 200000; ++i) {
    for (const std::uint32_t word : random.block(i)) {  // every exponent, subnormal ones included
      const float x = from_bits(word);
      if (!std::isfinite(x)) continue;
      const float actual = widen(to_bf16(x));
      ASSERT_EQ(bits(actual), bits(static_cast<float>(rounded(x)))) << std::hexfloat << x;
    }
  }
}

TEST(Bf16, NanKeepsItsSignAndNeverBecomesInfinity) {
  for (const std::uint32_t payload : {0x7f800001u, 0x7f80ffffu, 0x7fffffffu, 0x7fc00000u}) {
    for (const std::uint32_t sign : {0u, 0x80000000u}) {
      const bf16 x = to_bf16(from_bits(payload | sign));
      EXPECT_TRUE(std::isnan(widen(x))) << std::hex << payload;
      EXPECT_EQ(x.bits >> 15, sign >> 31);
      EXPECT_TRUE(x.bits & 0x40) << "not quiet";
    }
  }
}

TEST(Bf16, InfinityZeroAndOverflow) {
  const float inf = std::numeric_limits<float>::infinity();
  EXPECT_EQ(to_bf16(inf).bits, 0x7f80);
  EXPECT_EQ(to_bf16(-inf).bits, 0xff80);
  EXPECT_EQ(to_bf16(std::numeric_limits<float>::max()).bits, 0x7f80);
  EXPECT_EQ(to_bf16(-std::numeric_limits<float>::max()).bits, 0xff80);
  EXPECT_EQ(to_bf16(0.0f).bits, 0);
  EXPECT_EQ(to_bf16(-0.0f).bits, 0x8000);
}

TEST(Bf16, NarrowToFloatChangesNothing) {
  static_assert(widen(to_bf16(1.0f)) == 1.0f);
  EXPECT_EQ(bits(narrow<float>(0.1f)), bits(0.1f));
  EXPECT_EQ(bits(widen(0.1f)), bits(0.1f));
  EXPECT_EQ(narrow<bf16>(0.1f).bits, to_bf16(0.1f).bits);
}

}  // namespace
}  // namespace vlmark
