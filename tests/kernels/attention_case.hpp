#pragma once

#include <cmath>
#include <ostream>
#include <string>

#include "kernels/attention.hpp"
#include "kernels/reference/attention.hpp"
#include "tests/kernels/strided_matrix.hpp"
#include "tests/support/random_data.hpp"

namespace vlmark::test {

struct AttentionCase {
  std::string name;
  int heads, kv_heads, head_dim;
  bool causal;
  std::vector<int> lq, lk;  // lengths of the segments

  friend void PrintTo(const AttentionCase& c, std::ostream* out) { *out << c.name; }
  static std::vector<int> sums(const std::vector<int>& lengths) {
    std::vector<int> cu{0};
    for (const int length : lengths) cu.push_back(cu.back() + length);
    return cu;
  }
  std::vector<int> cu_q() const { return sums(lq); }
  std::vector<int> cu_k() const { return sums(lk); }
  // Not head_dim^-1/2, and larger: a lost or doubled factor shows.
  float scale() const { return 0.3f; }
  kernels::AttentionShape shape() const { return {heads, kv_heads, head_dim, causal, scale()}; }
  kernels::reference::AttentionShape reference_shape() const {
    return {heads, kv_heads, head_dim, causal, scale()};
  }
};

/// GQA ratios, head_dims, lengths 0, 1, odd and beyond a tile (64 keys; 96 / ratio queries), as
/// many keys as queries, more and fewer.
inline std::vector<AttentionCase> attention_cases() {
  return {
      {"empty", 2, 1, 8, true, {}, {}},
      {"one", 1, 1, 8, true, {1}, {1}},
      {"smallest_dim", 3, 3, 8, false, {0, 1, 7, 0}, {0, 1, 7, 0}},
      {"vit", 2, 2, 80, false, {16, 1, 150}, {16, 1, 150}},
      {"vit_causal", 2, 2, 80, true, {100, 97}, {100, 97}},
      {"ratio2_dim32", 4, 2, 32, true, {131, 5}, {131, 5}},
      {"ratio6_dim128", 12, 2, 128, true, {35, 1}, {35, 1}},
      {"ratio7_dim24", 7, 1, 24, true, {70}, {70}},
      {"ratio8_dim40", 8, 1, 40, true, {0, 33, 66}, {0, 33, 66}},
      {"ratio100_dim16", 100, 1, 16, true, {5}, {5}},
      {"largest_dim", 1, 1, 256, true, {65}, {65}},
      {"decode", 6, 1, 64, true, {1, 1, 1}, {200, 1, 65}},
      {"chunk", 4, 2, 16, true, {3, 50}, {129, 99}},
      {"cross", 2, 1, 48, false, {3, 50, 4}, {129, 0, 1}},
      {"fewer_keys", 2, 1, 8, true, {40, 5, 2}, {33, 0, 1}},
  };
}

/// Gaussian inputs, row-major and dense.
struct AttentionInputs {
  std::vector<float> q, k, v, dout;

  explicit AttentionInputs(const AttentionCase& c) {
    const auto count = [](int rows, int columns) {
      return static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
    };
    const auto tq = count(c.cu_q().back(), c.heads * c.head_dim);
    const auto tk = count(c.cu_k().back(), c.kv_heads * c.head_dim);
    // Scores of a few units whatever head_dim, so that no softmax is flat or a single spike.
    const float size = 2.0f / std::sqrt(0.3f * std::sqrt(static_cast<float>(c.head_dim)));
    q = gaussian(tq, 1, size);
    k = gaussian(tk, 2, size);
    v = gaussian(tk, 3);
    dout = gaussian(tq, 4);
  }

  AttentionInputs segment(const AttentionCase& c, std::size_t s) const {
    AttentionInputs part = *this;
    const auto cut = [&](std::vector<float>& x, const std::vector<int>& cu, int heads) {
      const auto row = static_cast<std::ptrdiff_t>(heads * c.head_dim);
      x = {x.begin() + cu[s] * row, x.begin() + cu[s + 1] * row};
    };
    cut(part.q, c.cu_q(), c.heads);
    cut(part.dout, c.cu_q(), c.heads);
    cut(part.k, c.cu_k(), c.kv_heads);
    cut(part.v, c.cu_k(), c.kv_heads);
    return part;
  }
};

/// Runs both passes; every matrix has a gap between its rows.
template <class T>
struct AttentionRun {
  StridedMatrix<T> out, dq, dk, dv;
  StridedMatrix<float> log_sum;

  AttentionRun(const AttentionCase& c, const AttentionInputs& in)
      : out(StridedMatrix<T>::unset(c.cu_q().back(), c.heads * c.head_dim, 3)),
        dq(StridedMatrix<T>::unset(c.cu_q().back(), c.heads * c.head_dim, 5)),
        dk(StridedMatrix<T>::unset(c.cu_k().back(), c.kv_heads * c.head_dim, 7)),
        dv(StridedMatrix<T>::unset(c.cu_k().back(), c.kv_heads * c.head_dim, 9)),
        log_sum(StridedMatrix<float>::unset(c.cu_q().back(), c.heads, 1)) {
    using namespace kernels;
    const int tq = c.cu_q().back(), tk = c.cu_k().back();
    const StridedMatrix<T> q(in.q, tq, c.heads * c.head_dim, 11),
        k(in.k, tk, c.kv_heads * c.head_dim, 13), v(in.v, tk, c.kv_heads * c.head_dim, 15),
        dout(in.dout, tq, c.heads * c.head_dim, 1);
    const auto delta = StridedMatrix<float>::unset(tq, c.heads, 2);
    const auto cu_q = to_device(c.cu_q()), cu_k = to_device(c.cu_k());
    attention(Exec{}, c.shape(), q.view, k.view, v.view, cu_q, cu_k, out.view, log_sum.view);
    attention_backward(Exec{}, c.shape(), dout.view, out.view, q.view, k.view, v.view, log_sum.view,
                       cu_q, cu_k, dq.view, dk.view, dv.view, delta.view);
  }

  bool gaps_untouched() const {
    return out.gap_untouched() && dq.gap_untouched() && dk.gap_untouched() && dv.gap_untouched() &&
           log_sum.gap_untouched();
  }
  std::vector<std::vector<float>> all_values() const {
    return {out.values(), log_sum.values(), dq.values(), dk.values(), dv.values()};
  }
};

}  // namespace vlmark::test
