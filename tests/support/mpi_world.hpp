#pragma once

#include "parallel/communicator.hpp"

namespace vlmark::test {

/// All ranks of an MPI test (MAIN mpi); valid inside tests.
parallel::Communicator& world();

}  // namespace vlmark::test
