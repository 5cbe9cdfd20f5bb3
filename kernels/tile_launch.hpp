#pragma once

#include "kernels/team.hpp"

namespace vlmark::kernels {

/// body(team, tile, scratch) for tile in [0, tiles), one team each, with `floats` fp32 of scratch
/// of its own on a 64-byte boundary: shared memory of a device where it fits. Tiles are handed out
/// as teams become free; Kokkos keeps the scratch between calls.
template <class Body>
void for_each_tile(const char* label, const Exec& exec, int tiles, int floats, const Body& body) {
  if (tiles == 0) return;
  constexpr int alignment = 64;
  const std::size_t bytes = sizeof(float) * static_cast<std::size_t>(floats);
  auto policy = team_policy<Kokkos::Schedule<Kokkos::Dynamic>>(exec, tiles, kTileTeam);
  const int level = kOnDevice && fits_in_team_scratch(floats) ? 0 : 1;
  policy.set_scratch_size(level, Kokkos::PerTeam(bytes + alignment));
  Kokkos::parallel_for(
      label, policy, KOKKOS_LAMBDA(const Team& team) {
        void* memory = team.team_scratch(level).get_shmem_aligned(bytes, alignment);
        body(team, team.league_rank(), static_cast<float*>(memory));
      });
}

}  // namespace vlmark::kernels
