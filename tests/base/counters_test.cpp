#include "src/base/counters.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace vlmark {
namespace {

TEST(Counters, FlopsSumProductsAndAttentionOfAllParts) {
  Counters c;
  std::uint64_t expected = 0;
  for (int part = 0; part < kParts; ++part) {
    c.gemm_flops[part] = std::uint64_t{1} << (2 * part);
    c.attention_flops[part] = std::uint64_t{2} << (2 * part);
    expected += c.gemm_flops[part] + c.attention_flops[part];
  }
  EXPECT_EQ(c.flops(), expected);
}

TEST(Counters, HoldMoreThanADoubleCounts) {
  Counters c;
  c.gemm_flops[0] = (std::uint64_t{1} << 53) + 1;
  EXPECT_EQ(c.flops(), (std::uint64_t{1} << 53) + 1);
}

TEST(Counters, ResetClearsEverything) {
  Counters& c = counters();
  c.gemm_flops[2] = 5;
  c.attention_flops[1] = 6;
  c.sent_bytes = 7;
  c.messages = 8;
  c.kernels["gemm f32 1x1x1 nt"]["onednn"] = 9;
  c.reset();
  EXPECT_EQ(c.flops(), 0u);
  EXPECT_EQ(c.sent_bytes, 0u);
  EXPECT_EQ(c.messages, 0u);
  EXPECT_TRUE(c.kernels.empty());
  EXPECT_EQ(&c, &counters());
}

TEST(CountedPart, NestsAndEndsWithItsScope) {
  EXPECT_EQ(CountedPart::current(), Part::other);
  {
    const CountedPart decoder(Part::decoder);
    EXPECT_EQ(CountedPart::current(), Part::decoder);
    {
      const CountedPart head(Part::head);
      EXPECT_EQ(CountedPart::current(), Part::head);
    }
    EXPECT_EQ(CountedPart::current(), Part::decoder);
  }
  EXPECT_EQ(CountedPart::current(), Part::other);
}

TEST(CountedPart, EndsWhenAnErrorPasses) {
  try {
    const CountedPart vit(Part::vit);
    throw std::runtime_error("passes");
  } catch (const std::runtime_error&) {
  }
  EXPECT_EQ(CountedPart::current(), Part::other);
}

TEST(Part, HasANameForEach) {
  EXPECT_STREQ(name_of(Part::vit), "vit");
  EXPECT_STREQ(name_of(Part::merger), "merger");
  EXPECT_STREQ(name_of(Part::decoder), "decoder");
  EXPECT_STREQ(name_of(Part::head), "head");
  EXPECT_STREQ(name_of(Part::other), "other");
}

}  // namespace
}  // namespace vlmark
