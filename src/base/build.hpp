#pragma once

#include <string>

namespace vlmark {

/// What this build computes with: "Kokkos OpenMP, products by oneDNN", or "Kokkos Serial, portable:
/// own products" where no vendor library is linked.
std::string compute_library();

}  // namespace vlmark
