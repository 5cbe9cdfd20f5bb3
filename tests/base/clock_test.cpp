#include "src/base/clock.hpp"

#include <gmock/gmock.h>

#include <set>

#include "src/base/isa.hpp"

namespace vlmark {
namespace {

TEST(Clock, MonotonicNeverGoesBack) {
  std::int64_t before = monotonic_ns();
  for (int i = 0; i < 1000; ++i) {
    const std::int64_t now = monotonic_ns();
    ASSERT_GE(now, before);
    before = now;
  }
}

TEST(Clock, UtcIsIso8601) { EXPECT_THAT(utc_now(), testing::MatchesRegex("20..-..-..T..:..:..Z")); }

TEST(InstructionSet, IsOneOfTheKnownWords) {
  const std::set<std::string> known = {"sse", "avx2", "avx512", "avx512_bf16", "amx"};
  EXPECT_TRUE(known.count(instruction_set())) << instruction_set();
  const std::set<std::string> with_bf16 = {"avx512_bf16", "amx"};
  EXPECT_EQ(has_bf16_instructions(), with_bf16.count(instruction_set()) == 1);
}

}  // namespace
}  // namespace vlmark
