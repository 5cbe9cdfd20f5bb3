#include "kernels/reference/attention.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace vlmark::kernels::reference {
namespace {

using Index = std::size_t;

/// Start of the head_dim elements of `head` in row `token` of a matrix of `heads` heads.
Index at(int token, int heads, int head, int dim) {
  return (static_cast<Index>(token) * static_cast<Index>(heads) + static_cast<Index>(head)) *
         static_cast<Index>(dim);
}

double dot(std::span<const double> a, Index i, std::span<const double> b, Index j, int dim) {
  double sum = 0;
  for (int c = 0; c < dim; ++c) sum += a[i + static_cast<Index>(c)] * b[j + static_cast<Index>(c)];
  return sum;
}

/// body(query, head, first key, probabilities of the keys it sees, log sum) for every query.
template <class Body>
void for_each_query(const AttentionShape& s, std::span<const double> q, std::span<const double> k,
                    const std::vector<int>& cu_q, const std::vector<int>& cu_k, const Body& body) {
  for (Index segment = 0; segment + 1 < cu_q.size(); ++segment) {
    const int lq = cu_q[segment + 1] - cu_q[segment], lk = cu_k[segment + 1] - cu_k[segment];
    for (int i = 0; i < lq; ++i)
      for (int h = 0; h < s.heads; ++h) {
        const int query = cu_q[segment] + i, first = cu_k[segment];
        const int seen = s.causal ? std::max(0, i + lk - lq + 1) : lk;
        std::vector<double> p;
        for (int j = 0; j < seen; ++j)
          p.push_back(s.scale *
                      dot(q, at(query, s.heads, h, s.head_dim), k,
                          at(first + j, s.kv_heads, h / (s.heads / s.kv_heads), s.head_dim),
                          s.head_dim));
        double largest = -std::numeric_limits<double>::infinity(), sum = 0;
        for (const double score : p) largest = std::max(largest, score);
        for (double& score : p) sum += score = std::exp(score - largest);
        for (double& score : p) score /= sum;
        body(query, h, first, p, largest + std::log(sum));
      }
  }
}

}  // namespace

Attention attention(const AttentionShape& s, std::span<const double> q, std::span<const double> k,
                    std::span<const double> v, const std::vector<int>& cu_q,
                    const std::vector<int>& cu_k) {
  Attention result{std::vector<double>(q.size()),
                   std::vector<double>(q.size() / static_cast<Index>(s.head_dim))};
  for_each_query(s, q, k, cu_q, cu_k, [&](int query, int h, int first, const auto& p, double sum) {
    const Index row = at(query, s.heads, h, s.head_dim);
    result.log_sum[at(query, s.heads, h, 1)] = sum;
    for (int j = 0; j < static_cast<int>(p.size()); ++j)
      for (int c = 0; c < s.head_dim; ++c)
        result.out[row + static_cast<Index>(c)] +=
            p[static_cast<Index>(j)] *
            v[at(first + j, s.kv_heads, h / (s.heads / s.kv_heads), s.head_dim) +
              static_cast<Index>(c)];
  });
  return result;
}

AttentionGradients attention_backward(const AttentionShape& s, std::span<const double> dout,
                                      std::span<const double> q, std::span<const double> k,
                                      std::span<const double> v, const std::vector<int>& cu_q,
                                      const std::vector<int>& cu_k) {
  AttentionGradients g{std::vector<double>(q.size()), std::vector<double>(k.size()),
                       std::vector<double>(v.size())};
  for_each_query(s, q, k, cu_q, cu_k, [&](int query, int h, int first, const auto& p, double) {
    const Index row = at(query, s.heads, h, s.head_dim);
    const int group = h / (s.heads / s.kv_heads);
    std::vector<double> dp;
    double mean = 0;
    for (Index j = 0; j < p.size(); ++j) {
      const Index key = at(first + static_cast<int>(j), s.kv_heads, group, s.head_dim);
      dp.push_back(dot(dout, row, v, key, s.head_dim));
      mean += p[j] * dp[j];
    }
    for (Index j = 0; j < p.size(); ++j) {
      const Index key = at(first + static_cast<int>(j), s.kv_heads, group, s.head_dim);
      const double ds = s.scale * p[j] * (dp[j] - mean);
      for (Index c = 0; c < static_cast<Index>(s.head_dim); ++c) {
        g.dq[row + c] += ds * k[key + c];
        g.dk[key + c] += ds * q[row + c];
        g.dv[key + c] += p[j] * dout[row + c];
      }
    }
  });
  return g;
}

}  // namespace vlmark::kernels::reference
