#pragma once

#include <functional>
#include <string>

#include "parallel/communicator.hpp"

namespace vlmark::parallel {

/// Runs `body` on every rank of the job, with or without mpiexec (then one rank), and returns the
/// exit code of the process. MPI lives from before `body` to after it. MPI_COMM_WORLD returns
/// errors inside it (MPI_ERRORS_RETURN): a library on it must check its return codes. Several ranks
/// need MPI_THREAD_MULTIPLE; a lower level is a CommError at the start.
///
/// - body returns: its value, after an orderly end.
/// - body throws AgreedError (every rank does, see agree.hpp): rank 0 prints it once, all ranks end
///   in order with its exit code.
/// - any other exception, on any thread, and a request dropped before wait(): the first such rank
///   of each machine prints one line,
///   `vlmark: rank R of N on HOST in phase 'PHASE': TEXT`, and ends the whole job with the exit
///   code of the error type (1 for what is not a vlmark::Error). Nothing is unwound, so no
///   destructor can wait for ranks that will never come.
int run_ranks(int argc, char** argv, const std::function<int(Communicator&)>& body);

/// Prints the line above and ends the whole job; for a failure that is not an exception. Only the
/// first rank of a machine prints. Works before and after MPI too (then it ends this process).
[[noreturn]] void abort_job(const std::string& text, int exit_code);

}  // namespace vlmark::parallel
