#include <algorithm>

#include "kernels/gemm_kernels.hpp"
#include "kernels/tile_launch.hpp"
#include "kernels/tile_pack.hpp"

namespace vlmark::kernels {
namespace {

// A tile of A [kTileRows, kDepth] and one of B [kDepth, kTileColumns] stay in the second-level
// cache. Rows and columns of the tile do not touch the bits: an element is summed over blocks of
// kDepth in rising order whatever tile it lies in.
constexpr int kDepth = per_back_end(256, 32);
constexpr int kTileRows = per_back_end(20 * kMicroRows, 64);
constexpr int kTileColumns = per_back_end(256, 64);
// One cache line more than a power of two, so that the rows of A fall into different sets; on a
// device one word, for its banks.
constexpr int kRowOfA = kDepth + per_back_end(16, 1);
static_assert(fits_in_team_scratch(kTileRows * kRowOfA + kTileColumns * (kDepth + kTileRows)));

struct Tiling {
  int rows, columns;            // of a tile of C
  int row_tiles, column_tiles;  // of C
  int a_floats, b_floats, c_floats;
};

Tiling tiling(int m, int n, int threads) {
  Tiling t{};
  t.rows = std::min(round_up(m, kMicroRows), kTileRows);
  t.columns = std::min(round_up(n, kMicroColumns), kTileColumns);
  const auto tiles = [](int length, int tile) { return (length + tile - 1) / tile; };
  while (tiles(m, t.rows) * tiles(n, t.columns) < threads && t.columns > 2 * kMicroColumns)
    t.columns = round_up(t.columns / 2, kMicroColumns);
  t.row_tiles = tiles(m, t.rows);
  t.column_tiles = tiles(n, t.columns);
  t.a_floats = t.rows * kRowOfA;
  t.b_floats = t.columns * kDepth;
  t.c_floats = t.rows * t.columns;
  return t;
}

}  // namespace

std::size_t gemm_tiled_scratch_bytes() {
  if (kOnDevice) return 0;  // shared memory
  return sizeof(float) * (kTileRows * kRowOfA + kTileColumns * kDepth + kTileRows * kTileColumns) +
         64;
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
      "vlmark::gemm_tiled", exec, tile.row_tiles * tile.column_tiles,
      tile.a_floats + tile.b_floats + tile.c_floats,
      KOKKOS_LAMBDA(const Team& team, int index, float* scratch) {
        const int i0 = index % tile.row_tiles * tile.rows;
        const int j0 = index / tile.row_tiles * tile.columns;
        const int rows = Kokkos::min(tile.rows, rows_of_c - i0);
        const int columns = Kokkos::min(tile.columns, columns_of_c - j0);
        float* tile_a = scratch;
        float* tile_b = tile_a + tile.a_floats;
        float* tile_c = tile_b + tile.b_floats;
        for (int l0 = 0; l0 < depth_of_c; l0 += kDepth) {
          const int depth = smaller(kDepth, depth_of_c - l0);
          if (l0 > 0) team.team_barrier();  // the last product still reads the tiles
          if (transpose_a)
            pack_rows(team, a + l0 * a_row + i0, a_row, depth, rows, 1.0f, tile_a, tile.rows, rows);
          else
            pack_rows(team, a + i0 * a_row + l0, a_row, rows, depth, 1.0f, tile_a, kRowOfA, depth);
          if (transpose_b)
            pack_transposed_panels(team, b + j0 * b_row + l0, b_row, columns, depth, tile_b);
          else
            pack_panels(team, b + l0 * b_row + j0, b_row, depth, columns, tile_b);
          team.team_barrier();
          const TileA left = transpose_a ? TileA{tile_a, 1, tile.rows} : TileA{tile_a, kRowOfA, 1};
          tile_product(team, rows, columns, depth, left,
                       TileB{tile_b, kMicroColumns, depth * kMicroColumns}, tile_c, tile.columns,
                       l0 > 0);
        }
        team.team_barrier();
        for_each(team, rows, [=](int r) {
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
