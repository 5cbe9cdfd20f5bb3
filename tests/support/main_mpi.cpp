#include <gtest/gtest.h>

#include <Kokkos_Core.hpp>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

#include "parallel/phase.hpp"
#include "parallel/run_ranks.hpp"
#include "tests/support/mpi_requests.hpp"
#include "tests/support/mpi_world.hpp"

namespace vlmark::test {
namespace {

parallel::Communicator* current_world = nullptr;

/// A rank that left a test early would leave the others waiting: its first failed check ends all.
class AbortOnFailure : public testing::EmptyTestEventListener {
  void OnTestStart(const testing::TestInfo& test) override {
    parallel::set_phase(std::string(test.test_suite_name()) + "." + test.name());
  }
  void OnTestEnd(const testing::TestInfo&) override {
    if (const int open = open_mpi_requests())
      parallel::abort_job(std::to_string(open) + " MPI requests were started and not waited for " +
                              "(they leak, and their buffers are not safe). Wait for each",
                          1);
  }
  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (!result.failed()) return;
    const std::string file = result.file_name() ? result.file_name() : "unknown file";
    parallel::abort_job("check failed at " + file + ":" + std::to_string(result.line_number()) +
                            ": " + result.summary(),
                        1);
  }
};

}  // namespace

parallel::Communicator& world() { return *current_world; }

}  // namespace vlmark::test

int main(int argc, char** argv) {
  using namespace vlmark;
  testing::InitGoogleTest(&argc, argv);
  if (GTEST_FLAG_GET(list_tests)) return RUN_ALL_TESTS();  // needs no ranks
  GTEST_FLAG_SET(catch_exceptions, false);  // an exception must reach the terminate handler
#ifdef __SANITIZE_ADDRESS__
  __lsan_disable();  // what MPI's start leaks is its own
#endif
  return parallel::run_ranks(argc, argv, [&](parallel::Communicator& comm) {
#ifdef __SANITIZE_ADDRESS__
    __lsan_enable();
#endif
    const Kokkos::ScopeGuard kokkos(argc, argv);
    test::current_world = &comm;
    auto& listeners = testing::UnitTest::GetInstance()->listeners();
    if (comm.rank() != 0) delete listeners.Release(listeners.default_result_printer());
    listeners.Append(new test::AbortOnFailure);
    const int failed = RUN_ALL_TESTS();
#ifdef __SANITIZE_ADDRESS__
    // While MPI still holds what is its own.
    if (__lsan_do_recoverable_leak_check()) return 99;
#endif
    return failed;
  });
}
