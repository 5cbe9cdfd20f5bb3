#include "parallel/run_ranks.hpp"

#include <mpi.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <exception>

#include "parallel/mpi_communicator.hpp"
#include "parallel/mpi_library.hpp"
#include "parallel/phase.hpp"
#include "src/base/error.hpp"

namespace vlmark::parallel {
namespace {

/// One word shared by the ranks of a machine: who sets it first reports. When one rank fails,
/// others often fail in its wake (a broken connection), and their lines would bury the cause.
int* reporter_claim = nullptr;

bool claim_report() {
  return !reporter_claim || std::atomic_ref<int>(*reporter_claim).exchange(1) == 0;
}

void require_success(int code, const char* call) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = {};
  int length = 0;
  MPI_Error_string(code, text, &length);
  throw CommError(std::string("run_ranks: ") + call + " failed: " + std::string(text, length) +
                  " (no rank can be reached). Check the MPI installation and the launch line");
}

class MpiSession {
 public:
  MpiSession(int& argc, char**& argv) {
    int provided = MPI_THREAD_SINGLE;
    require_success(MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided),
                    "MPI_Init_thread");
    // Open MPI reports errors of nonblocking collectives here, whatever communicator they run on;
    // its own handler would end the job with MPI's error number and without our line.
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    require_success(
        MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine_),
        "MPI_Comm_split_type");
    int rank = 0;
    MPI_Comm_rank(machine_, &rank);
    int* mine = nullptr;
    require_success(MPI_Win_allocate_shared(rank == 0 ? sizeof(int) : 0, sizeof(int), MPI_INFO_NULL,
                                            machine_, &mine, &window_),
                    "MPI_Win_allocate_shared");
    if (rank == 0) *mine = 0;
    MPI_Barrier(machine_);
    MPI_Aint size = 0;
    int unit = 0;
    MPI_Win_shared_query(window_, 0, &size, &unit, &reporter_claim);
    require_threads(provided);
  }
  ~MpiSession() {
    reporter_claim = nullptr;
    MPI_Win_free(&window_);
    MPI_Comm_free(&machine_);
    MPI_Finalize();
  }
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;

 private:
  /// Lanes of messages are threads of their own, and any thread may have to end the job while
  /// another waits in MPI. One rank sends nothing.
  static void require_threads(int provided) {
    int size = 1;
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (size == 1 || provided >= MPI_THREAD_MULTIPLE) return;
    throw CommError(std::string("run_ranks: this MPI offers ") + thread_level_name(provided) +
                    ", expected MPI_THREAD_MULTIPLE (each lane of messages is a thread that calls "
                    "MPI). Use an MPI built with thread support, and check the environment for a "
                    "lower level");
  }

  MPI_Comm machine_ = MPI_COMM_NULL;
  MPI_Win window_ = MPI_WIN_NULL;
};

/// One write, so that lines of several ranks do not mix.
void print_line(const std::string& text) {
  std::fflush(stdout);
  const std::string line = text + "\n";
  [[maybe_unused]] const auto written = write(STDERR_FILENO, line.data(), line.size());
}

[[noreturn]] void report_and_abort() {
  std::string text = "std::terminate was called without an exception";
  int exit_code = static_cast<int>(ExitCode::internal);
  if (const std::exception_ptr error = std::current_exception()) {
    try {
      std::rethrow_exception(error);
    } catch (const Error& e) {
      text = e.what();
      exit_code = static_cast<int>(e.exit_code());
    } catch (const std::exception& e) {
      text = e.what();
    } catch (...) {  // ends the job two lines down, nothing is swallowed
      text = "an exception that is no std::exception";
    }
  }
  abort_job(text, exit_code);
}

}  // namespace

void abort_job(const std::string& text, int exit_code) {
  int initialized = 0, finalized = 0;
  MPI_Initialized(&initialized);
  MPI_Finalized(&finalized);
  const bool connected = initialized && !finalized;
  int rank = 0, size = 1;
  if (connected) {
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
  }
  if (claim_report())
    print_line("vlmark: rank " + std::to_string(rank_or(rank)) + " of " + std::to_string(size) +
               " on " + host_name() + " in phase '" + phase() + "': " + text);
  else
    sleep(3);  // the job ends with the reporter's exit code, not with that of a follow-up error
  if (connected) MPI_Abort(MPI_COMM_WORLD, exit_code);
  _exit(exit_code);
}

int run_ranks(int argc, char** argv, const std::function<int(Communicator&)>& body) {
  std::set_terminate(report_and_abort);
  MpiSession session(argc, argv);  // destructor: MPI_Finalize, which is collective
  const std::unique_ptr<Communicator> world = mpi_world();
  try {
    return body(*world);
  } catch (const AgreedError& e) {  // thrown by every rank: say it once, shut down in order
    const std::string ranks =
        world->size() == 1 ? "" : "all " + std::to_string(world->size()) + " ranks ";
    if (world->rank() == 0)
      print_line("vlmark: " + ranks + "in phase '" + phase() + "': " + e.what());
    return static_cast<int>(e.exit_code());
  }
  // No other catch, on purpose. An uncaught exception reaches the handler with the stack intact:
  // no destructor gets to wait for a device queue that itself waits for the other ranks.
}

}  // namespace vlmark::parallel
