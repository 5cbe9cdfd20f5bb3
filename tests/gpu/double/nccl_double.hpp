#pragma once

// NCCL and the runtime calls that parallel/nccl_*.cpp makes, over MPI and host memory (rung G4 of
// docs/gpu.md), linked in place of the libraries. Streams are lists of work that progress whenever
// an event is asked for; all memory is "device" memory unless a test says otherwise; what NCCL
// groups progresses together.

namespace vlmark::test {

/// What the double does next and what it has seen.
struct NcclDouble {
  bool host_memory = false;    ///< pointers are host memory
  bool no_driver = false;      ///< the runtime finds no driver
  bool stuck = false;          ///< what is started never completes
  int asynchronous_error = 0;  ///< what ncclCommGetAsyncError reports
  int in_progress = 0;         ///< so many answers are ncclInProgress first
  int aborts = 0, destroys = 0;
  int largest_group = 0;  ///< messages of one group
};
NcclDouble& nccl_double();

/// A stream of a producer that is busy until release().
void* busy_stream();
void release(void* stream);

}  // namespace vlmark::test
