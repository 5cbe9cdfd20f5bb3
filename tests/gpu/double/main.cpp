#include <gtest/gtest.h>

#include "parallel/run_ranks.hpp"
#include "tests/support/mpi_world.hpp"

// tests/support/main_mpi.cpp without Kokkos, whose CUDA back end does not start without a driver.

namespace vlmark::test {
namespace {

parallel::Communicator* current_world = nullptr;

/// A rank that left a test early would leave the others waiting: its first failed check ends all.
class AbortOnFailure : public testing::EmptyTestEventListener {
  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (result.failed())
      parallel::abort_job(
          "check failed at line " + std::to_string(result.line_number()) + ": " + result.summary(),
          1);
  }
};

}  // namespace

parallel::Communicator& world() { return *current_world; }

}  // namespace vlmark::test

int main(int argc, char** argv) {
  using namespace vlmark;
  testing::InitGoogleTest(&argc, argv);
  GTEST_FLAG_SET(catch_exceptions, false);  // an exception must reach the terminate handler
  return parallel::run_ranks(argc, argv, [&](parallel::Communicator& comm) {
    test::current_world = &comm;
    testing::UnitTest::GetInstance()->listeners().Append(new test::AbortOnFailure);
    return RUN_ALL_TESTS();
  });
}
