#pragma once

#include <optional>

namespace vlmark::app {

/// The rank that a launcher gave this process, before MPI is up; nothing where none started it.
std::optional<int> launched_rank();

}  // namespace vlmark::app
