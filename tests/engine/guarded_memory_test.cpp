// The guard itself: what a device would refuse ends the process.

#include "tests/support/guarded_memory.hpp"

#include <gtest/gtest.h>

#include "src/base/error.hpp"
#include "src/engine/arena_memory.hpp"
#include "src/engine/staging.hpp"

namespace vlmark::test {
namespace {

constexpr std::int64_t bytes = 1 << 16;

TEST(GuardedMemoryDeathTest, HostCodeThatReadsTheArenaEndsTheProcess) {
  const GuardedMemory guard;
  const engine::ArenaMemory memory(bytes);
  EXPECT_GE(GuardedMemory::guarded_bytes(), bytes - 2 * 4096);
  volatile float* value = memory.at<float>(bytes / 2);
  EXPECT_DEATH(value[0] = 1, "host code touched the memory of kernels");
  // Where staging is left out although it is needed.
  EXPECT_DEATH(
      {
        engine::Staging(false).visit(
            kernels::Exec(), static_cast<const float*>(memory.at<float>(bytes / 2)), 10,
            [](std::span<const float> values, std::size_t) { std::exit(values[0] > 0); });
      },
      "host code touched the memory of kernels");
}

TEST(GuardedMemory, StagingReachesTheArenaInPieces) {
  const GuardedMemory guard;
  const std::size_t count = plan::staging_piece_bytes / sizeof(float) * 2 + 7;
  const engine::ArenaMemory memory(static_cast<std::int64_t>(count * sizeof(float)));
  std::vector<float> values(count), back(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(i);
  const engine::Staging staging(true);
  const kernels::Exec exec;
  staging.store(exec, values, memory.at<float>(0));
  staging.load(exec, static_cast<const float*>(memory.at<float>(0)), back);
  EXPECT_EQ(back, values);
  std::size_t next = 0, pieces = 0;
  staging.visit(exec, static_cast<const float*>(memory.at<float>(0)), count,
                [&](std::span<const float> piece, std::size_t first) {
                  EXPECT_EQ(first, next);
                  EXPECT_EQ(piece[0], values[first]);
                  next += piece.size();
                  ++pieces;
                });
  EXPECT_EQ(next, count);
  EXPECT_EQ(pieces, 3u);
}

TEST(GuardedMemory, EndsWithItsScope) {
  const GuardedMemory* guard = new GuardedMemory;
  const engine::ArenaMemory memory(bytes);
  delete guard;
  memory.at<float>(bytes / 2)[0] = 1;
  EXPECT_EQ(GuardedMemory::guarded_bytes(), 0);
}

}  // namespace
}  // namespace vlmark::test
