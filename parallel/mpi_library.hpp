#pragma once

#include <string>

namespace vlmark::parallel {

/// The MPI that this process runs on, between begin and end of run_ranks.
struct MpiLibrary {
  std::string name;       ///< "Open MPI v4.1.4", the first words of its own text
  std::string threads;    ///< level it provides: "MPI_THREAD_MULTIPLE"
  bool multiple = false;  ///< that is the level several ranks need
};
MpiLibrary mpi_library();

/// The standard's name of a thread level.
const char* thread_level_name(int level);

}  // namespace vlmark::parallel
