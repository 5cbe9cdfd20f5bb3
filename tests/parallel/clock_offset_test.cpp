#include "parallel/clock_offset.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/support/mpi_world.hpp"

namespace vlmark::test {
namespace {

// Ranks of one machine share its monotonic clock: the estimate must find 0 within its own error.
TEST(ClockOffset, IsZeroWithinItsErrorOnOneMachine) {
  const parallel::ClockOffset clock = parallel::estimate_clock_offset(world());
  EXPECT_LE(std::abs(clock.offset_ns), clock.error_ns);
  EXPECT_GE(clock.error_ns, 0);
}

}  // namespace
}  // namespace vlmark::test
