#pragma once

#include <cstddef>
#include <memory>

#include "parallel/communicator.hpp"

namespace vlmark::parallel {

/// Longest single MPI message; longer ones travel in pieces, because MPI counts in `int`.
inline constexpr std::size_t kMaxMessageBytes = std::size_t{1} << 30;

/// All ranks of the job, on a duplicate of MPI_COMM_WORLD that returns errors instead of aborting.
/// A job of one rank (and a split into one rank) gets the communicator without MPI. Collective;
/// destroy before MPI is finalised. A smaller `max_message_bytes` serves tests of the pieces.
/// Throws CommError when MPI is not initialised.
std::unique_ptr<Communicator> mpi_world(std::size_t max_message_bytes = kMaxMessageBytes);

/// The MPI handle behind a communicator as MPI_Comm_c2f gives it, for a library that takes one
/// (parallel HDF5): MPI_Comm_f2c(fortran_handle(comm)). MPI_COMM_SELF for the group of one.
/// Throws CommError for a communicator that stands on neither.
int fortran_handle(const Communicator& comm);

}  // namespace vlmark::parallel
