#pragma once

#include <string>

namespace vlmark {

/// What this build computes with: "Kokkos OpenMP, products by oneDNN", or "Kokkos Serial, portable:
/// own products" where no vendor library is linked.
std::string compute_library();

/// The instruction set that this build was compiled for, as instruction_set() names them: that of
/// the machine it was configured on.
std::string build_instruction_set();

}  // namespace vlmark
