#include "src/app/launcher.hpp"

#include <cstdlib>

namespace vlmark::app {

std::optional<int> launched_rank() {
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"})
    if (const char* rank = std::getenv(name)) return std::atoi(rank);
  return std::nullopt;
}

}  // namespace vlmark::app
