#include "parallel/mpi_library.hpp"

#include <mpi.h>

namespace vlmark::parallel {

const char* thread_level_name(int level) {
  return level == MPI_THREAD_SINGLE       ? "MPI_THREAD_SINGLE"
         : level == MPI_THREAD_FUNNELED   ? "MPI_THREAD_FUNNELED"
         : level == MPI_THREAD_SERIALIZED ? "MPI_THREAD_SERIALIZED"
                                          : "MPI_THREAD_MULTIPLE";
}

MpiLibrary mpi_library() {
  MpiLibrary library;
  char text[MPI_MAX_LIBRARY_VERSION_STRING] = {};
  int length = 0, level = MPI_THREAD_SINGLE;
  if (MPI_Get_library_version(text, &length) == MPI_SUCCESS) library.name = text;
  library.name = library.name.substr(0, library.name.find_first_of(",\n"));
  MPI_Query_thread(&level);
  library.threads = thread_level_name(level);
  library.multiple = level >= MPI_THREAD_MULTIPLE;
  return library;
}

}  // namespace vlmark::parallel
