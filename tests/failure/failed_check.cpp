// An MPI test that fails on one rank only, and one that throws on one rank only: the other ranks
// wait in a collective and must be ended. Run by expect_failure.py.

#include <gtest/gtest.h>

#include "parallel/scalars.hpp"
#include "src/base/error.hpp"
#include "tests/support/mpi_world.hpp"

namespace vlmark::test {
namespace {

TEST(FailedCheck, OnTheLastRank) {
  EXPECT_NE(world().rank(), world().size() - 1) << "planted";
  parallel::wait_for_all(world());
}

TEST(FailedCheck, ExceptionOnTheLastRank) {
  if (world().rank() == world().size() - 1) throw IoError("thrown in a test (planted)");
  parallel::wait_for_all(world());
}

}  // namespace
}  // namespace vlmark::test
