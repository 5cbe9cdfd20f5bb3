#pragma once

namespace vlmark::test {

/// Nonblocking MPI operations of this rank that were started and not waited for. Where a program
/// calls this, it counts them through MPI's profiling interface. A leaked request is found by
/// nothing else: its buffer may have long been filled, and its memory belongs to MPI.
int open_mpi_requests();

/// One of them was dropped on purpose and is not counted any more.
void forget_mpi_request();

}  // namespace vlmark::test
