#include <algorithm>

#include "kernels/gemm_kernels.hpp"
#include "kernels/tile_launch.hpp"
#include "kernels/tile_pack.hpp"

namespace vlmark::kernels {
namespace {

// A tile of A [kTileRows, kDepth] stays in the second-level cache; one of B [kDepth, kTileColumns]
// is packed once for all the row tiles of a team. Rows, columns and row tiles do not touch the bits:
// an element is summed over blocks of kDepth in rising order whatever tile it lies in.
constexpr int kDepth = per_back_end(256, 32);
constexpr int kTileRows = per_back_end(20 * kMicroRows, 64);
constexpr int kTileColumns = per_back_end(256, 64);
constexpr int kMaxRowTiles = per_back_end(6, 1);  // of a team
// One cache line more than a power of two, so that rows, blocks and panels that are written by turns
// fall into different sets; on a device one word for A, for its banks.
constexpr int kRowOfA = kDepth + per_back_end(16, 1);
constexpr int kBlockOfA = kRowOfA * kMicroRows;
constexpr int kPanelOfB = kDepth * kMicroColumns + per_back_end(16, 0);
constexpr int kScratch = kTileRows / kMicroRows * kBlockOfA +
                         kTileColumns / kMicroColumns * kPanelOfB +
                         kMaxRowTiles * kTileRows * kTileColumns;
static_assert(fits_in_team_scratch(kScratch));

struct Tiling {
  int rows, columns;            // of a tile of C
  int team_rows;                // of a team, a multiple of `rows`
  int row_teams, column_teams;  // of C
  int a_floats, b_floats, c_floats;
};

constexpr int parts(int length, int part) { return (length + part - 1) / part; }

Tiling tiling(int m, int n, int threads) {
  Tiling t{};
  const int row_tiles = parts(m, kTileRows);
  t.rows = round_up(parts(m, row_tiles), kMicroRows);  // of about the same length
  t.columns = std::min(round_up(n, kMicroColumns), kTileColumns);
  while (row_tiles * parts(n, t.columns) < threads && t.columns > 2 * kMicroColumns)
    t.columns = round_up(t.columns / 2, kMicroColumns);
  t.column_teams = parts(n, t.columns);
  // With few teams for each thread the last ones would leave threads idle.
  constexpr int teams_of_thread = 4;
  const int teams = threads == 1 ? 1 : teams_of_thread * threads;
  int tiles_of_team = std::min(row_tiles, kMaxRowTiles);
  while (tiles_of_team > 1 && parts(row_tiles, tiles_of_team) * t.column_teams < teams)
    --tiles_of_team;
  t.row_teams = parts(row_tiles, tiles_of_team);
  t.team_rows = parts(row_tiles, t.row_teams) * t.rows;
  t.a_floats = t.rows / kMicroRows * kBlockOfA;
  t.b_floats = t.columns / kMicroColumns * kPanelOfB;
  t.c_floats = t.team_rows * t.columns;
  return t;
}

}  // namespace

std::size_t gemm_tiled_scratch_bytes() {
  if (kOnDevice) return 0;  // shared memory
  return sizeof(float) * kScratch + 64;
}

template <class A, class B, class C>
void gemm_tiled(const Exec& exec, const GemmArguments<A, B, C>& arguments) {
  const auto [ta, tb] = std::pair(arguments.shape.ta, arguments.shape.tb);
  const auto [m, n, k] = std::tuple(arguments.shape.m, arguments.shape.n, arguments.shape.k);
  // Narrower tiles would give a device more teams, but each less to do.
  const Tiling tile = tiling(m, n, kOnDevice ? 1 : exec.concurrency());
  const A* a = arguments.a.data();
  const B* b = arguments.b.data();
  C* c = arguments.c.data();
  const long a_row = static_cast<long>(arguments.a.stride(0));
  const long b_row = static_cast<long>(arguments.b.stride(0));
  const long c_row = static_cast<long>(arguments.c.stride(0));
  const bool add = arguments.beta != 0;
  const bool transpose_a = ta == Trans::yes, transpose_b = tb == Trans::yes;
  const int rows_of_c = m, columns_of_c = n, depth_of_c = k;

  for_each_tile(
      "vlmark::gemm_tiled", exec, tile.row_teams * tile.column_teams,
      tile.a_floats + tile.b_floats + tile.c_floats,
      KOKKOS_LAMBDA(const Team& team, int index, float* scratch) {
        const int i0 = index % tile.row_teams * tile.team_rows;
        const int j0 = index / tile.row_teams * tile.columns;
        const int team_rows = Kokkos::min(tile.team_rows, rows_of_c - i0);
        const int columns = Kokkos::min(tile.columns, columns_of_c - j0);
        float* tile_a = scratch;
        float* tile_b = tile_a + tile.a_floats;
        float* tile_c = tile_b + tile.b_floats;
        for (int l0 = 0; l0 < depth_of_c; l0 += kDepth) {
          const int depth = smaller(kDepth, depth_of_c - l0);
          for (int i = 0; i < team_rows; i += tile.rows) {
            const int rows = Kokkos::min(tile.rows, team_rows - i);
            if (l0 > 0 || i > 0) team.team_barrier();  // the last product still reads the tiles
            const A* block_a = transpose_a ? a + l0 * a_row + i0 + i : a + (i0 + i) * a_row + l0;
            if (transpose_a)
              pack_row_blocks(team, block_a, a_row, depth, rows, tile_a, kBlockOfA);
            else
              pack_rows(team, block_a, a_row, rows, depth, 1.0f, tile_a, kRowOfA, depth);
            if (i == 0 && transpose_b)
              pack_transposed_panels(team, b + j0 * b_row + l0, b_row, columns, depth, tile_b,
                                     kPanelOfB);
            else if (i == 0)
              pack_panels(team, b + l0 * b_row + j0, b_row, depth, columns, tile_b, kPanelOfB);
            team.team_barrier();
            const TileA left = transpose_a ? TileA{tile_a, 1, kMicroRows, kBlockOfA}
                                           : tile_rows(tile_a, kRowOfA, 1);
            tile_product(team, rows, columns, depth, left, TileB{tile_b, kMicroColumns, kPanelOfB},
                         tile_c + i * tile.columns, tile.columns, l0 > 0);
          }
        }
        team.team_barrier();
        for_each(team, team_rows, [=](int r) {
          const float* sums = tile_c + r * tile.columns;
          C* out = c + (i0 + r) * c_row + j0;
          if (add)
            for (int j = 0; j < columns; ++j) out[j] = narrow<C>(sums[j] + widen(out[j]));
          else
            for (int j = 0; j < columns; ++j) out[j] = narrow<C>(sums[j]);
        });
      });
}

template void gemm_tiled(const Exec&, const GemmArguments<float, float, float>&);
template void gemm_tiled(const Exec&, const GemmArguments<bf16, bf16, bf16>&);
template void gemm_tiled(const Exec&, const GemmArguments<bf16, bf16, float>&);
template void gemm_tiled(const Exec&, const GemmArguments<float, bf16, bf16>&);
template void gemm_tiled(const Exec&, const GemmArguments<float, bf16, float>&);
template void gemm_tiled(const Exec&, const GemmArguments<bf16, float, float>&);

}  // namespace vlmark::kernels
