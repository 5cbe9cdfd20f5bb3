#include "src/verification/attention_residual.hpp"

#include <algorithm>
#include <cmath>

#include "src/verification/matrix_reader.hpp"

namespace vlmark::verification {
namespace {

using Row = std::vector<double>;

double dot(const Row& a, const Row& b) {
  double sum = 0;
  for (std::size_t d = 0; d < a.size(); ++d) sum += a[d] * b[d];
  return sum;
}

}  // namespace

double attention_limit(DType type) { return type == DType::bf16 ? 4 * 0x1p-8 : 0x1p-14; }

double attention_residual(const kernels::AttentionCall& call, bool causal, const Philox& random,
                          int samples, bool staged) {
  call.exec.fence("vlmark::verification");
  const auto& s = call.shape;
  const int rows = call.cu_seqlens.empty() ? 0 : call.cu_seqlens.back();
  if (rows == 0) return 0;
  const auto reader = [&](kernels::Operand<const void*> m, int heads) {
    return MatrixReader(call.exec, m, call.type, rows, long{heads} * s.head_dim, staged);
  };
  MatrixReader q = reader(call.q, s.heads), k = reader(call.k, s.kv_heads),
               v = reader(call.v, s.kv_heads), out = reader(call.out, s.heads);
  const auto dim = static_cast<std::size_t>(s.head_dim);
  Row query(dim), key(dim), value(dim), got(dim), weights;
  double worst = 0;
  for (int n = 0; n < samples; ++n) {
    auto draw = [&, part = 0u](int bound) mutable {
      return static_cast<int>(random.below(static_cast<std::uint64_t>(n) * 4 + part++,
                                           static_cast<std::uint64_t>(bound)));
    };
    int i = draw(rows);
    const int h = draw(s.heads), g = h / (s.heads / s.kv_heads);
    const auto end_at = std::upper_bound(call.cu_seqlens.begin(), call.cu_seqlens.end(), i);
    const int begin = *(end_at - 1), end = *end_at;
    if (n % 4 == 3) i = draw(2) == 0 ? begin : end - 1;
    const int keys = causal ? i + 1 : end;

    q.read(i, h * s.head_dim, query);
    out.read(i, h * s.head_dim, got);
    weights.clear();
    for (int j = begin; j < keys; ++j) {
      k.read(j, g * s.head_dim, key);
      weights.push_back(dot(query, key) / std::sqrt(static_cast<double>(s.head_dim)));
    }
    const double largest = *std::max_element(weights.begin(), weights.end());
    double total = 0;
    for (double& w : weights) total += w = std::exp(w - largest);
    Row exact(dim, 0);
    for (int j = begin; j < keys; ++j) {
      v.read(j, g * s.head_dim, value);
      const double p = weights[static_cast<std::size_t>(j - begin)] / total;
      for (std::size_t d = 0; d < dim; ++d) exact[d] += p * value[d];
    }
    double difference = 0;
    for (std::size_t d = 0; d < dim; ++d) difference += (got[d] - exact[d]) * (got[d] - exact[d]);
    const double error = difference == 0 ? 0 : std::sqrt(difference) / std::sqrt(dot(exact, exact));
    if (!(error <= worst)) worst = error;
    if (std::isnan(worst)) return worst;
  }
  return worst;
}

}  // namespace vlmark::verification
