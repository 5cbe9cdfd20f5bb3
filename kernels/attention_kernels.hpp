#pragma once

#include "kernels/attention.hpp"
#include "kernels/math.hpp"
#include "kernels/tile_launch.hpp"
#include "kernels/tile_pack.hpp"
#include "src/base/dtype.hpp"

// What the forward and the backward pass of attention share. A tile holds kKeys keys of one
// key/value head, or about kForwardRows or kBackwardRows rows of queries: row r is query i0 + r /
// group of the segment under head r % group of the heads that share the key/value head, so that one
// copy of K and V serves the whole group, in decoding too.

namespace vlmark::kernels {

/// Rows of a query tile: the forward pass spreads a copy of K and V over more of them, the backward
/// pass holds twice as many tiles of such rows, and both stay in a second-level cache, or in the
/// shared memory of a device up to head_dim 128.
inline constexpr int kKeys = per_back_end(64, 8);
inline constexpr int kForwardRows = per_back_end(192, 24), kBackwardRows = per_back_end(96, 16);
static_assert(kKeys % kMicroColumns == 0);

/// Sizes that follow from an AttentionShape alone, so that no bit depends on what is packed.
struct AttentionTiles {
  int head_dim, padded_dim, group, kv_heads;
  int panel;    ///< floats from one panel of packed keys or values to the next
  int queries;  ///< of a query tile
  int rows;     ///< of a query tile, queries * group
  bool causal;
  float scale;

  constexpr AttentionTiles(const AttentionShape& shape, int target_rows)
      : head_dim(shape.head_dim),
        padded_dim(round_up(shape.head_dim, kMicroColumns)),
        group(shape.heads / shape.kv_heads),
        kv_heads(shape.kv_heads),
        panel(head_dim * kMicroColumns),
        queries(group < target_rows ? target_rows / group : 1),
        rows(queries * group),
        causal(shape.causal),
        scale(shape.scale) {}
};

/// One matrix of heads side by side.
template <class T>
struct Heads {
  T* data;
  long row;  ///< distance of rows in elements
  int group, dim;

  Heads(const Mat<T>& m, int group_in, int dim_in)
      : data(m.data()), row(static_cast<long>(m.stride(0))), group(group_in), dim(dim_in) {}

  /// First element of token `token` under the first head of group `kv_head`.
  KOKKOS_INLINE_FUNCTION T* at(int token, int kv_head) const {
    return data + token * row + kv_head * group * dim;
  }
};

/// The tile that a team works on.
struct SegmentTile {
  int kv_head;
  int q_begin, q_length, k_begin, k_length;  ///< the segment
  int first;                                 ///< row of the tile in its segment
};

/// Books FLOPs on the current CountedPart and the kernel under the record's key,
/// "attention backward bf16 28/4x128 causal".
void book_attention(const char* pass, DType type, const AttentionShape& shape, std::uint64_t flops,
                    const std::string& kernel);

/// Tiles of `length` rows in the segments of `cu`, all heads.
int count_tiles(const std::vector<int>& cu, int length, int kv_heads);

/// Tile number `index`, where the segments of `cu` are cut into tiles of `length` rows. The last
/// tiles come first: under a causal mask they are the longest, and teams take them in this order.
KOKKOS_INLINE_FUNCTION SegmentTile find_tile(int index, int tiles, int kv_heads,
                                             const Vec<const int>& cu, int length,
                                             const Vec<const int>& cu_q,
                                             const Vec<const int>& cu_k) {
  const int tiles_of_head = tiles / kv_heads;
  int rest = tiles_of_head - 1 - index % tiles_of_head;
  int segment = 0;
  for (;; ++segment) {
    const int here = (cu(segment + 1) - cu(segment) + length - 1) / length;
    if (rest < here) break;
    rest -= here;
  }
  return {index / tiles_of_head,
          cu_q(segment),
          cu_q(segment + 1) - cu_q(segment),
          cu_k(segment),
          cu_k(segment + 1) - cu_k(segment),
          rest * length};
}

/// How many of the keys [first_key, first_key + keys) query `query` of the segment sees.
KOKKOS_INLINE_FUNCTION int visible_keys(bool causal, const SegmentTile& tile, int query,
                                        int first_key, int keys) {
  if (!causal) return keys;
  const int last = query + tile.k_length - tile.q_length - first_key + 1;
  return last < 0 ? 0 : (last < keys ? last : keys);
}

/// Copies `rows` query rows from query `query` of the whole matrix on, times `factor`.
template <class T>
KOKKOS_INLINE_FUNCTION void load_query_rows(const Team& team, const AttentionTiles& t,
                                            const Heads<const T>& from, int query, int kv_head,
                                            int rows, float factor, float* to) {
  for_each(team, rows, [=](int r) {
    const T* source = from.at(query + r / t.group, kv_head) + r % t.group * t.head_dim;
    float* target = to + r * t.padded_dim;
    for (int c = 0; c < t.head_dim; ++c) target[c] = factor * widen(source[c]);
    for (int c = t.head_dim; c < t.padded_dim; ++c) target[c] = 0;
  });
}

/// out[i] = factor[i] * row[i] for one row of a tile.
template <class T>
KOKKOS_INLINE_FUNCTION void store_row(const float* row, float factor, int dim, T* out) {
  for (int c = 0; c < dim; ++c) out[c] = narrow<T>(factor * row[c]);
}

}  // namespace vlmark::kernels
