#include "kernels/attention_passes.hpp"

namespace vlmark::kernels {
namespace {

/// Scratch of a team, in floats.
struct Layout {
  int q, out, keys, values, scores, maximum, sum, end;

  constexpr explicit Layout(const AttentionTiles& t) {
    q = 0;
    out = q + t.rows * t.padded_dim;
    keys = out + t.rows * t.padded_dim;
    values = keys + kKeys * t.head_dim;
    scores = values + kKeys * t.padded_dim;
    maximum = scores + t.rows * kKeys;
    sum = maximum + round_up(t.rows, 16);
    end = sum + t.rows * kVector;
  }
};
// The heads of Qwen2-VL: 7 query heads share a key/value head of 128.
static_assert(fits_in_team_scratch(Layout(AttentionTiles({7, 1, 128, true, 1}, kForwardRows)).end));

/// One step of the online softmax of a row: scores become exp(score - maximum); `sum`, kept as the
/// lanes of a vector until the end, and the row of `out` follow a risen maximum. The first
/// `visible` of `keys` scores count.
KOKKOS_INLINE_FUNCTION void softmax_step(float* scores, int keys, int visible, int padded_dim,
                                         float& maximum, float* sum, float* out) {
  const int width = round_up(keys, kVector);
  if (visible == 0) {
    for (int c = 0; c < width; ++c) scores[c] = 0;
    return;
  }
  constexpr float lowest = -Kokkos::Experimental::infinity_v<float>;
  for (int c = visible; c < width; ++c) scores[c] = lowest;
  FloatVector lanes = load_vector(scores);
  for (int c = kVector; c < width; c += kVector) lanes = larger(lanes, load_vector(scores + c));
  const float largest_here = max_of_lanes(lanes);
  const float largest = largest_here > maximum ? largest_here : maximum;
  for (int c = 0; c < width; ++c) scores[c] = exponential(scores[c] - largest);
  if (largest != maximum) {
    // Before the first visible key there is nothing to rescale, and -inf - -inf would be NaN.
    const float factor = maximum == lowest ? 0.0f : exponential(maximum - largest);
    for (int l = 0; l < kVector; ++l) sum[l] *= factor;
    for (int c = 0; c < padded_dim; ++c) out[c] *= factor;
    maximum = largest;
  }
  FloatVector total = load_vector(sum);
  for (int c = 0; c < width; c += kVector) total = total + load_vector(scores + c);
  store_vector(sum, total);
}

}  // namespace

template <class T>
void attention_forward(const Exec& exec, const AttentionShape& shape, const Mat<const T>& q,
                       const Mat<const T>& k, const Mat<const T>& v, const Vec<const int>& cu_q,
                       const Vec<const int>& cu_k, int tiles, const Mat<T>& out,
                       const Mat<float>& log_sum) {
  const AttentionTiles t(shape, kForwardRows);
  const Layout at(t);
  const Heads<const T> queries(q, t.group, t.head_dim), keys(k, 1, t.head_dim),
      values(v, 1, t.head_dim);
  const Heads<T> result(out, t.group, t.head_dim);
  for_each_tile(
      "vlmark::attention", exec, tiles, at.end,
      KOKKOS_LAMBDA(const Team& team, int index, float* scratch) {
        const SegmentTile s = find_tile(index, tiles, t.kv_heads, cu_q, t.queries, cu_q, cu_k);
        const int count = Kokkos::min(t.queries, s.q_length - s.first);
        const int rows = count * t.group;
        float *tile_q = scratch + at.q, *sums = scratch + at.out, *tile_k = scratch + at.keys,
              *tile_v = scratch + at.values, *scores = scratch + at.scores,
              *maximum = scratch + at.maximum, *sum = scratch + at.sum;
        load_query_rows(team, t, queries, s.q_begin + s.first, s.kv_head, rows, t.scale, tile_q);
        for_each(team, rows, [=](int r) {
          maximum[r] = -Kokkos::Experimental::infinity_v<float>;
          for (int l = 0; l < kVector; ++l) sum[r * kVector + l] = 0;
          for (int c = 0; c < t.padded_dim; ++c) sums[r * t.padded_dim + c] = 0;
        });
        const int seen = visible_keys(t.causal, s, s.first + count - 1, 0, s.k_length);
        for (int first = 0; first < seen; first += kKeys) {
          const int here = smaller(kKeys, seen - first);
          const int key = s.k_begin + first;
          team.team_barrier();  // the last tile's products still read keys and values
          pack_transposed_panels(team, keys.at(key, s.kv_head), keys.row, here, t.head_dim, tile_k,
                                 t.panel);
          pack_rows(team, values.at(key, s.kv_head), values.row, here, t.head_dim, 1.0f, tile_v,
                    t.padded_dim, t.padded_dim);
          team.team_barrier();
          tile_product(team, rows, here, t.head_dim, tile_rows(tile_q, t.padded_dim, 1),
                       TileB{tile_k, kMicroColumns, t.panel}, scores, kKeys, false);
          team.team_barrier();
          for_each(team, rows, [=](int r) {
            const int visible = visible_keys(t.causal, s, s.first + r / t.group, first, here);
            softmax_step(scores + r * kKeys, here, visible, t.padded_dim, maximum[r],
                         sum + r * kVector, sums + r * t.padded_dim);
          });
          team.team_barrier();
          tile_product(team, rows, t.padded_dim, here, tile_rows(scores, kKeys, 1),
                       plain_rows(tile_v, t.padded_dim), sums, t.padded_dim, true);
        }
        team.team_barrier();
        for_each(team, rows, [&](int r) {
          const int query = s.q_begin + s.first + r / t.group, head = r % t.group;
          const float total = sum_of_lanes(load_vector(sum + r * kVector));
          store_row(sums + r * t.padded_dim, total == 0 ? 0.0f : 1 / total, t.head_dim,
                    result.at(query, s.kv_head) + head * t.head_dim);
          log_sum(query, s.kv_head * t.group + head) = maximum[r] + Kokkos::log(total);
        });
      });
}

template void attention_forward(const Exec&, const AttentionShape&, const Mat<const float>&,
                                const Mat<const float>&, const Mat<const float>&,
                                const Vec<const int>&, const Vec<const int>&, int,
                                const Mat<float>&, const Mat<float>&);
template void attention_forward(const Exec&, const AttentionShape&, const Mat<const bf16>&,
                                const Mat<const bf16>&, const Mat<const bf16>&,
                                const Vec<const int>&, const Vec<const int>&, int, const Mat<bf16>&,
                                const Mat<float>&);

}  // namespace vlmark::kernels
