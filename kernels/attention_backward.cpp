#include "kernels/attention_passes.hpp"

namespace vlmark::kernels {
namespace {

/// Scratch of a team, in floats. `first` and `second` are the two accumulated gradients of the key
/// pass; the query pass has one, and keeps the keys as plain rows in the place of the other.
struct Layout {
  int q, dout, keys, values, scores, dscores, first, second, end;

  constexpr explicit Layout(const AttentionTiles& t) {
    const int accumulated = (t.rows > kKeys ? t.rows : kKeys) * t.padded_dim;
    q = 0;
    dout = q + t.rows * t.padded_dim;
    keys = dout + t.rows * t.padded_dim;
    values = keys + kKeys * t.head_dim;
    scores = values + kKeys * t.head_dim;
    dscores = scores + t.rows * kKeys;
    first = dscores + t.rows * kKeys;
    second = first + accumulated;
    end = second + kKeys * t.padded_dim;
  }
};
// The heads of Qwen2-VL: 7 query heads share a key/value head of 128.
static_assert(
    fits_in_team_scratch(Layout(AttentionTiles({7, 1, 128, true, 1}, kBackwardRows)).end));

/// For one row: scores become p = exp(score - log_sum), dp becomes ds = p (dp - delta); what the
/// row does not see becomes 0 in both.
KOKKOS_INLINE_FUNCTION void gradient_step(float* scores, float* dp, int keys, int visible,
                                          float log_sum, float delta) {
  for (int c = 0; c < visible; ++c) {
    const float p = exponential(scores[c] - log_sum);
    scores[c] = p;
    dp[c] = p * (dp[c] - delta);
  }
  for (int c = visible; c < keys; ++c) scores[c] = dp[c] = 0;
}

/// Scores and their gradients of one query tile and one key tile, both in scratch.
KOKKOS_INLINE_FUNCTION void recompute(const Team& team, const AttentionTiles& t,
                                      const SegmentTile& s, int query, int rows, int first_key,
                                      int keys, const Mat<const float>& log_sum,
                                      const Mat<const float>& delta, const Layout& at,
                                      float* scratch) {
  float *scores = scratch + at.scores, *dscores = scratch + at.dscores;
  tile_product(team, rows, keys, t.head_dim, tile_rows(scratch + at.q, t.padded_dim, 1),
               TileB{scratch + at.keys, kMicroColumns, t.panel}, scores, kKeys, false);
  tile_product(team, rows, keys, t.head_dim, tile_rows(scratch + at.dout, t.padded_dim, 1),
               TileB{scratch + at.values, kMicroColumns, t.panel}, dscores, kKeys, false);
  team.team_barrier();
  for_each(team, rows, [&](int r) {
    const int here = query + r / t.group, head = s.kv_head * t.group + r % t.group;
    gradient_step(scores + r * kKeys, dscores + r * kKeys, keys,
                  visible_keys(t.causal, s, here, first_key, keys), log_sum(s.q_begin + here, head),
                  delta(s.q_begin + here, head));
  });
  team.team_barrier();
}

KOKKOS_INLINE_FUNCTION void clear(const Team& team, int rows, int width, float* tile) {
  for_each(team, rows, [=](int r) {
    for (int c = 0; c < width; ++c) tile[r * width + c] = 0;
  });
}

}  // namespace

template <class T>
void attention_backward_queries(const Exec& exec, const AttentionShape& shape,
                                const AttentionGradients<T>& in, int tiles, const Mat<T>& dq) {
  const AttentionTiles t(shape, kBackwardRows);
  const Layout at(t);
  const Heads<const T> queries(in.q, t.group, t.head_dim), douts(in.dout, t.group, t.head_dim),
      keys(in.k, 1, t.head_dim), values(in.v, 1, t.head_dim);
  const Heads<T> result(dq, t.group, t.head_dim);
  for_each_tile(
      "vlmark::attention_backward_queries", exec, tiles, at.end,
      KOKKOS_LAMBDA(const Team& team, int index, float* scratch) {
        const SegmentTile s =
            find_tile(index, tiles, t.kv_heads, in.cu_q, t.queries, in.cu_q, in.cu_k);
        const int count = Kokkos::min(t.queries, s.q_length - s.first);
        const int rows = count * t.group, query = s.q_begin + s.first;
        float *gradient = scratch + at.first, *key_rows = scratch + at.second;
        load_query_rows(team, t, queries, query, s.kv_head, rows, t.scale, scratch + at.q);
        load_query_rows(team, t, douts, query, s.kv_head, rows, 1.0f, scratch + at.dout);
        clear(team, rows, t.padded_dim, gradient);
        const int seen = visible_keys(t.causal, s, s.first + count - 1, 0, s.k_length);
        for (int first = 0; first < seen; first += kKeys) {
          const int here = smaller(kKeys, seen - first);
          const T* key = keys.at(s.k_begin + first, s.kv_head);
          team.team_barrier();  // the last product still reads the keys
          pack_transposed_panels(team, key, keys.row, here, t.head_dim, scratch + at.keys, t.panel);
          pack_transposed_panels(team, values.at(s.k_begin + first, s.kv_head), values.row, here,
                                 t.head_dim, scratch + at.values, t.panel);
          pack_rows(team, key, keys.row, here, t.head_dim, 1.0f, key_rows, t.padded_dim,
                    t.padded_dim);
          team.team_barrier();
          recompute(team, t, s, s.first, rows, first, here, in.log_sum, in.delta, at, scratch);
          tile_product(team, rows, t.padded_dim, here, tile_rows(scratch + at.dscores, kKeys, 1),
                       plain_rows(key_rows, t.padded_dim), gradient, t.padded_dim, true);
        }
        team.team_barrier();
        for_each(team, rows, [=](int r) {
          store_row(gradient + r * t.padded_dim, t.scale, t.head_dim,
                    result.at(query + r / t.group, s.kv_head) + r % t.group * t.head_dim);
        });
      });
}

template <class T>
void attention_backward_keys(const Exec& exec, const AttentionShape& shape,
                             const AttentionGradients<T>& in, int tiles, const Mat<T>& dk,
                             const Mat<T>& dv) {
  const AttentionTiles t(shape, kBackwardRows);
  const Layout at(t);
  const Heads<const T> queries(in.q, t.group, t.head_dim), douts(in.dout, t.group, t.head_dim),
      keys(in.k, 1, t.head_dim), values(in.v, 1, t.head_dim);
  const Heads<T> result_k(dk, 1, t.head_dim), result_v(dv, 1, t.head_dim);
  for_each_tile(
      "vlmark::attention_backward_keys", exec, tiles, at.end,
      KOKKOS_LAMBDA(const Team& team, int index, float* scratch) {
        const SegmentTile s = find_tile(index, tiles, t.kv_heads, in.cu_k, kKeys, in.cu_q, in.cu_k);
        const int here = smaller(kKeys, s.k_length - s.first), key = s.k_begin + s.first;
        float *gradient_k = scratch + at.first, *gradient_v = scratch + at.second;
        pack_transposed_panels(team, keys.at(key, s.kv_head), keys.row, here, t.head_dim,
                               scratch + at.keys, t.panel);
        pack_transposed_panels(team, values.at(key, s.kv_head), values.row, here, t.head_dim,
                               scratch + at.values, t.panel);
        clear(team, here, t.padded_dim, gradient_k);
        clear(team, here, t.padded_dim, gradient_v);
        // Under a causal mask key j is seen by the queries from j - (k_length - q_length) on. Tiles
        // start at multiples of t.queries whatever the mask, so that sums keep their order.
        const int sees = t.causal ? Kokkos::max(0, s.first - (s.k_length - s.q_length)) : 0;
        for (int first = sees / t.queries * t.queries; first < s.q_length; first += t.queries) {
          const int rows = Kokkos::min(t.queries, s.q_length - first) * t.group;
          const int query = s.q_begin + first;
          team.team_barrier();  // the last products still read the rows
          load_query_rows(team, t, queries, query, s.kv_head, rows, t.scale, scratch + at.q);
          load_query_rows(team, t, douts, query, s.kv_head, rows, 1.0f, scratch + at.dout);
          team.team_barrier();
          recompute(team, t, s, first, rows, s.first, here, in.log_sum, in.delta, at, scratch);
          tile_product(team, here, t.padded_dim, rows, tile_rows(scratch + at.scores, 1, kKeys),
                       plain_rows(scratch + at.dout, t.padded_dim), gradient_v, t.padded_dim, true);
          tile_product(team, here, t.padded_dim, rows, tile_rows(scratch + at.dscores, 1, kKeys),
                       plain_rows(scratch + at.q, t.padded_dim), gradient_k, t.padded_dim, true);
        }
        team.team_barrier();
        for_each(team, here, [=](int r) {
          store_row(gradient_k + r * t.padded_dim, 1.0f, t.head_dim,
                    result_k.at(key + r, s.kv_head));
          store_row(gradient_v + r * t.padded_dim, 1.0f, t.head_dim,
                    result_v.at(key + r, s.kv_head));
        });
      });
}

template <class T>
void attention_delta(const Exec& exec, const AttentionShape& shape, const Mat<const T>& dout,
                     const Mat<const T>& out, const Mat<float>& delta) {
  const int heads = shape.heads, dim = shape.head_dim;
  for_each_row(
      "vlmark::attention_delta", exec, dout.extent_int(0),
      KOKKOS_LAMBDA(const Team& team, int row) {
        for_each(team, heads, [&](int h) {
          const T *a = &dout(row, h * dim), *b = &out(row, h * dim);
          float lane[8] = {};
          for (int c = 0; c < dim; c += 8)
            for (int l = 0; l < 8; ++l) lane[l] += widen(a[c + l]) * widen(b[c + l]);
          for (int half = 4; half > 0; half /= 2)
            for (int l = 0; l < half; ++l) lane[l] += lane[l + half];
          delta(row, h) = lane[0];
        });
      });
}

template void attention_backward_queries(const Exec&, const AttentionShape&,
                                         const AttentionGradients<float>&, int, const Mat<float>&);
template void attention_backward_queries(const Exec&, const AttentionShape&,
                                         const AttentionGradients<bf16>&, int, const Mat<bf16>&);
template void attention_backward_keys(const Exec&, const AttentionShape&,
                                      const AttentionGradients<float>&, int, const Mat<float>&,
                                      const Mat<float>&);
template void attention_backward_keys(const Exec&, const AttentionShape&,
                                      const AttentionGradients<bf16>&, int, const Mat<bf16>&,
                                      const Mat<bf16>&);
template void attention_delta(const Exec&, const AttentionShape&, const Mat<const float>&,
                              const Mat<const float>&, const Mat<float>&);
template void attention_delta(const Exec&, const AttentionShape&, const Mat<const bf16>&,
                              const Mat<const bf16>&, const Mat<float>&);

}  // namespace vlmark::kernels
