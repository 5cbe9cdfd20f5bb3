#include <gtest/gtest.h>

#include <Kokkos_Core.hpp>
#include <cstdlib>

#include "kernels/team.hpp"

// VLMARK_TEAM_SIZE in the environment is the size of every team.
int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const Kokkos::ScopeGuard kokkos(argc, argv);
  if (const char* size = std::getenv("VLMARK_TEAM_SIZE"))
    vlmark::kernels::forced_team_size = std::atoi(size);
  return RUN_ALL_TESTS();
}
