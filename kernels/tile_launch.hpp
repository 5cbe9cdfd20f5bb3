#pragma once

#include "kernels/team.hpp"

namespace vlmark::kernels {

/// Members of a team in for_each_tile; 0: Kokkos chooses (one on a host). Tests set 2 and 4, which
/// need as many threads, to show a missing barrier.
inline int tile_team_size = 0;

/// body(team, tile, scratch) for tile in [0, tiles), one team each, with `floats` fp32 of scratch
/// of its own on a 64-byte boundary. Tiles are handed out as teams become free; Kokkos keeps the
/// scratch between calls.
template <class Body>
void for_each_tile(const char* label, const Exec& exec, int tiles, int floats, const Body& body) {
  if (tiles == 0) return;
  using Policy = Kokkos::TeamPolicy<Exec, Kokkos::Schedule<Kokkos::Dynamic>>;
  constexpr int alignment = 64;
  const std::size_t bytes = sizeof(float) * static_cast<std::size_t>(floats);
  auto policy =
      tile_team_size > 0 ? Policy(exec, tiles, tile_team_size) : Policy(exec, tiles, Kokkos::AUTO);
  policy.set_scratch_size(1, Kokkos::PerTeam(bytes + alignment));
  Kokkos::parallel_for(
      label, policy, KOKKOS_LAMBDA(const Team& team) {
        void* memory = team.team_scratch(1).get_shmem_aligned(bytes, alignment);
        body(team, team.league_rank(), static_cast<float*>(memory));
      });
}

}  // namespace vlmark::kernels
