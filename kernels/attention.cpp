#include "kernels/attention.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/attention_passes.hpp"
#include "kernels/shape.hpp"
#include "src/base/counters.hpp"

namespace vlmark::kernels {
namespace {

constexpr int kMaxHeadDim = 256;

void require_heads(const char* where, const AttentionShape& shape) {
  const auto text = [](int value) { return std::to_string(value); };
  const std::string name(where);
  if (shape.heads < 1 || shape.kv_heads < 1 || shape.heads % shape.kv_heads != 0)
    throw ValueError(name + ": heads = " + text(shape.heads) +
                     " and kv_heads = " + text(shape.kv_heads) +
                     " (each key/value head serves the same number of query heads). Choose heads "
                     "as a multiple of kv_heads");
  if (shape.head_dim < 8 || shape.head_dim > kMaxHeadDim || shape.head_dim % 8 != 0)
    throw ValueError(name + ": head_dim is " + text(shape.head_dim) +
                     " (must be a multiple of 8 from 8 to " + text(kMaxHeadDim) +
                     "). Choose hidden size and heads so that it is one");
  if (!std::isfinite(shape.scale))
    throw ValueError(name + ": scale is " + std::to_string(shape.scale) +
                     " (must be finite: every score is multiplied by it). Pass 1 / sqrt(head_dim)");
}

std::vector<int> require_segments(const char* where, const char* name, const Vec<const int>& cu,
                                  int rows) {
  std::vector<int> values(cu.extent(0));
  using Host = Kokkos::View<int*, Kokkos::LayoutRight, Kokkos::HostSpace,
                            Kokkos::MemoryTraits<Kokkos::Unmanaged>>;
  Kokkos::deep_copy(Host(values.data(), values.size()), cu);
  const std::string what = std::string(where) + ": " + name;
  if (values.empty() || values.front() != 0 || values.back() != rows)
    throw ValueError(
        what + " runs from " +
        (values.empty() ? "nothing"
                        : std::to_string(values.front()) + " to " + std::to_string(values.back())) +
        " (must run from 0 to the number of rows, " + std::to_string(rows) +
        "). Pass the running sum of the segments' lengths");
  for (std::size_t i = 1; i < values.size(); ++i)
    if (values[i] < values[i - 1])
      throw ValueError(what + " falls from " + std::to_string(values[i - 1]) + " to " +
                       std::to_string(values[i]) + " at " + std::to_string(i) +
                       " (segments follow one another). Pass the running sum of their lengths");
  return values;
}

struct Segments {
  std::vector<int> q, k;
};

Segments require_segments(const char* where, const Vec<const int>& cu_q, const Vec<const int>& cu_k,
                          int tq, int tk) {
  Segments segments{require_segments(where, "cu_seqlens_q", cu_q, tq),
                    require_segments(where, "cu_seqlens_k", cu_k, tk)};
  require_shape(where, "cu_seqlens_k", cu_k, static_cast<long>(segments.q.size()));
  return segments;
}

template <class T>
void require_matrices(const char* where, const AttentionShape& shape, const Mat<const T>& q,
                      const Mat<const T>& k, const Mat<const T>& v) {
  require_heads(where, shape);
  require_shape(where, "q", q, q.extent_int(0), shape.heads * shape.head_dim);
  require_shape(where, "k", k, k.extent_int(0), shape.kv_heads * shape.head_dim);
  require_shape(where, "v", v, k.extent_int(0), shape.kv_heads * shape.head_dim);
}

template <class T>
void book(const char* pass, const AttentionShape& shape, std::uint64_t flops) {
  book_attention(pass, std::is_same_v<T, float> ? DType::f32 : DType::bf16, shape, flops,
                 "kokkos_flash");
}

template <class T>
void forward(const Exec& exec, const AttentionShape& shape, const Mat<const T>& q,
             const Mat<const T>& k, const Mat<const T>& v, const Vec<const int>& cu_q,
             const Vec<const int>& cu_k, const Mat<T>& out, const Mat<float>& log_sum) {
  const char* where = "attention";
  require_matrices(where, shape, q, k, v);
  const int tq = q.extent_int(0);
  require_shape(where, "out", out, tq, shape.heads * shape.head_dim);
  require_shape(where, "log_sum", log_sum, tq, shape.heads);
  const Segments segments = require_segments(where, cu_q, cu_k, tq, k.extent_int(0));
  const int tiles =
      count_tiles(segments.q, AttentionTiles(shape, kForwardRows).queries, shape.kv_heads);
  attention_forward<T>(exec, shape, q, k, v, cu_q, cu_k, tiles, out, log_sum);
  book<T>("forward", shape, attention_flops(shape, segments.q, segments.k));
}

template <class T>
void backward(const Exec& exec, const AttentionShape& shape, const Mat<const T>& dout,
              const Mat<const T>& out, const AttentionGradients<T>& in, const Mat<T>& dq,
              const Mat<T>& dk, const Mat<T>& dv, const Mat<float>& delta) {
  const char* where = "attention_backward";
  require_matrices(where, shape, in.q, in.k, in.v);
  const int tq = in.q.extent_int(0), tk = in.k.extent_int(0);
  const int q_columns = shape.heads * shape.head_dim, k_columns = shape.kv_heads * shape.head_dim;
  require_shape(where, "dout", dout, tq, q_columns);
  require_shape(where, "out", out, tq, q_columns);
  require_shape(where, "log_sum", in.log_sum, tq, shape.heads);
  require_shape(where, "dq", dq, tq, q_columns);
  require_shape(where, "dk", dk, tk, k_columns);
  require_shape(where, "dv", dv, tk, k_columns);
  require_shape(where, "delta", delta, tq, shape.heads);
  const Segments segments = require_segments(where, in.cu_q, in.cu_k, tq, tk);
  attention_delta<T>(exec, shape, dout, out, delta);
  attention_backward_queries<T>(
      exec, shape, in,
      count_tiles(segments.q, AttentionTiles(shape, kBackwardRows).queries, shape.kv_heads), dq);
  attention_backward_keys<T>(exec, shape, in, count_tiles(segments.k, kKeys, shape.kv_heads), dk,
                             dv);
  book<T>("backward", shape, 2 * attention_flops(shape, segments.q, segments.k));
}

}  // namespace

void book_attention(const char* pass, DType type, const AttentionShape& shape, std::uint64_t flops,
                    const std::string& kernel) {
  Counters& counted = counters();
  counted.attention_flops[static_cast<int>(CountedPart::current())] += flops;
  const std::string key = std::string("attention ") + pass +
                          (type == DType::f32 ? " f32 " : " bf16 ") + std::to_string(shape.heads) +
                          "/" + std::to_string(shape.kv_heads) + "x" +
                          std::to_string(shape.head_dim) + (shape.causal ? " causal" : " full");
  ++counted.kernels[key][kernel];
}

int count_tiles(const std::vector<int>& cu, int length, int kv_heads) {
  int tiles = 0;
  for (std::size_t i = 1; i < cu.size(); ++i) tiles += (cu[i] - cu[i - 1] + length - 1) / length;
  return tiles * kv_heads;
}

std::uint64_t attention_flops(const AttentionShape& shape, const std::vector<int>& cu_seqlens_q,
                              const std::vector<int>& cu_seqlens_k) {
  std::uint64_t pairs_times_four = 0;
  for (std::size_t i = 1; i < cu_seqlens_q.size(); ++i) {
    const auto lq = static_cast<std::uint64_t>(cu_seqlens_q[i] - cu_seqlens_q[i - 1]);
    const auto lk = static_cast<std::uint64_t>(cu_seqlens_k[i] - cu_seqlens_k[i - 1]);
    // Where lq > lk the first lq - lk queries see nothing.
    const std::uint64_t seeing = std::min(lq, lk);
    pairs_times_four += shape.causal ? 4 * seeing * lk - 2 * seeing * seeing : 4 * lq * lk;
  }
  return static_cast<std::uint64_t>(shape.heads) * static_cast<std::uint64_t>(shape.head_dim) *
         pairs_times_four;
}

void attention(const Exec& exec, const AttentionShape& shape, Mat<const float> q,
               Mat<const float> k, Mat<const float> v, Vec<const int> cu_seqlens_q,
               Vec<const int> cu_seqlens_k, Mat<float> out, Mat<float> log_sum) {
  forward<float>(exec, shape, q, k, v, cu_seqlens_q, cu_seqlens_k, out, log_sum);
}
void attention(const Exec& exec, const AttentionShape& shape, Mat<const bf16> q, Mat<const bf16> k,
               Mat<const bf16> v, Vec<const int> cu_seqlens_q, Vec<const int> cu_seqlens_k,
               Mat<bf16> out, Mat<float> log_sum) {
  forward<bf16>(exec, shape, q, k, v, cu_seqlens_q, cu_seqlens_k, out, log_sum);
}

void attention_backward(const Exec& exec, const AttentionShape& shape, Mat<const float> dout,
                        Mat<const float> out, Mat<const float> q, Mat<const float> k,
                        Mat<const float> v, Mat<const float> log_sum, Vec<const int> cu_seqlens_q,
                        Vec<const int> cu_seqlens_k, Mat<float> dq, Mat<float> dk, Mat<float> dv,
                        Mat<float> delta) {
  backward<float>(exec, shape, dout, out,
                  {dout, q, k, v, log_sum, delta, cu_seqlens_q, cu_seqlens_k}, dq, dk, dv, delta);
}
void attention_backward(const Exec& exec, const AttentionShape& shape, Mat<const bf16> dout,
                        Mat<const bf16> out, Mat<const bf16> q, Mat<const bf16> k,
                        Mat<const bf16> v, Mat<const float> log_sum, Vec<const int> cu_seqlens_q,
                        Vec<const int> cu_seqlens_k, Mat<bf16> dq, Mat<bf16> dk, Mat<bf16> dv,
                        Mat<float> delta) {
  backward<bf16>(exec, shape, dout, out,
                 {dout, q, k, v, log_sum, delta, cu_seqlens_q, cu_seqlens_k}, dq, dk, dv, delta);
}

}  // namespace vlmark::kernels
