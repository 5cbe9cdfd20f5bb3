// A job under an MPI that gives a lower thread level than was asked for, through MPI's profiling
// interface.

#include <mpi.h>

#include "parallel/run_ranks.hpp"

extern "C" int MPI_Init_thread(int* argc, char*** argv, int, int* provided) {
  return PMPI_Init_thread(argc, argv, MPI_THREAD_SERIALIZED, provided);
}

int main(int argc, char** argv) {
  return vlmark::parallel::run_ranks(argc, argv, [](vlmark::parallel::Communicator&) { return 0; });
}
