#include "src/base/clock.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <map>
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

TEST(InstructionSet, IntelsBf16InstructionsWithoutAmxAreSlowButOnCooperLake) {
  const CpuGeneration zen4{false, 25, 17}, cooper_lake{true, 6, 85}, emerald_rapids{true, 6, 207};
  for (const CpuGeneration& cpu : {zen4, cooper_lake, emerald_rapids}) {
    EXPECT_TRUE(fast_bf16_instructions("amx", cpu));
    EXPECT_FALSE(fast_bf16_instructions("avx512", cpu));
    EXPECT_FALSE(fast_bf16_instructions("avx2", cpu));
  }
  EXPECT_TRUE(fast_bf16_instructions("avx512_bf16", zen4));
  EXPECT_TRUE(fast_bf16_instructions("avx512_bf16", cooper_lake));
  EXPECT_FALSE(fast_bf16_instructions("avx512_bf16", emerald_rapids));
}

/// As the system reads the same CPUID.
TEST(InstructionSet, GenerationIsTheSystems) {
  std::map<std::string, std::string> info;
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line) && !line.empty();)
    if (const auto colon = line.find(':'); colon + 2 < line.size())
      info[line.substr(0, line.find_last_not_of(" \t", colon - 1) + 1)] = line.substr(colon + 2);
  if (!info.contains("cpu family")) GTEST_SKIP() << "the system does not say";
  EXPECT_EQ(cpu_generation().intel, info["vendor_id"] == "GenuineIntel");
  EXPECT_EQ(std::to_string(cpu_generation().family), info["cpu family"]);
  EXPECT_EQ(std::to_string(cpu_generation().model), info["model"]);
  EXPECT_THAT(cpu_model(), testing::HasSubstr(info["model name"]));
}

}  // namespace
}  // namespace vlmark
