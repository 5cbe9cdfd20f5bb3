#include <algorithm>
#include <cmath>
#include <memory>

#include "bench/data.hpp"
#include "bench/workload.hpp"
#include "kernels/attention.hpp"
#include "kernels/reference/attention.hpp"

namespace vlmark::bench {
namespace {

namespace reference = kernels::reference;

/// Queries, keys and probabilities are each rounded, of bf16: 1/64 of the largest value, as the
/// admission of foreign kernels (kernels/reference/attention_admission.hpp) has it.
template <class T>
constexpr double kLimit = std::is_same_v<T, bf16> ? 1.0 / 64 : kSums;

template <class T>
double error_within(const std::vector<double>& actual, const std::vector<double>& expected) {
  return worst(actual, expected, 0, kLimit<T> * largest(expected));
}

std::vector<int> range(int begin, int end) {
  std::vector<int> indices(static_cast<std::size_t>(end - begin));
  std::iota(indices.begin(), indices.end(), begin);
  return indices;
}

template <class T>
class Attention {
 public:
  explicit Attention(const Call& c)
      : backward_(c.kernel == "attention_backward"),
        shape_{c.heads, c.kv_heads, c.head_dim, c.causal,
               1 / std::sqrt(static_cast<float>(c.head_dim))},
        cu_q_(c.cu_q),
        cu_k_(c.cu_k),
        starts_q_(to_kernels(c.cu_q)),
        starts_k_(to_kernels(c.cu_k)) {
    const int width = c.heads * c.head_dim, kv = c.kv_heads * c.head_dim;
    const int tq = cu_q_.back(), tk = cu_k_.back();
    if (c.kernel == "attention_cached") {
      q_ = uniform<T>(tq, width, 1), k_ = uniform<T>(tk, kv, 2), v_ = uniform<T>(tk, kv, 3);
    } else {
      // Blocks of columns of one matrix, as layers have them.
      const Mat<T> packed = uniform<T>(tq, width + 2 * kv, 1);
      split(packed, width, kv, q_, k_, v_);
    }
    out_ = uniform<T>(tq, width, 4), log_sum_ = uniform<float>(tq, c.heads, 5);
    if (!backward_) return;
    const Mat<T> gradients = uniform<T>(tq, width + 2 * kv, 6);
    split(gradients, width, kv, dq_, dk_, dv_);
    dout_ = uniform<T>(tq, width, 7), delta_ = uniform<float>(tq, c.heads, 8);
    forward();
  }

  void run() const { backward_ ? backward() : forward(); }
  double error() const { return backward_ ? worse(dq_error(), dk_dv_error()) : forward_error(); }
  void spoil() const { backward_ ? bench::spoil(dq_) : bench::spoil(out_); }

 private:
  static void split(const Mat<T>& m, int width, int kv, Mat<T>& q, Mat<T>& k, Mat<T>& v) {
    q = kernels::columns(m, 0, width);
    k = kernels::columns(m, width, width + kv);
    v = kernels::columns(m, width + kv, width + 2 * kv);
  }
  void forward() const {
    kernels::attention(Exec{}, shape_, q_, k_, v_, starts_q_, starts_k_, out_, log_sum_);
  }
  void backward() const {
    kernels::attention_backward(Exec{}, shape_, dout_, out_, q_, k_, v_, log_sum_, starts_q_,
                                starts_k_, dq_, dk_, dv_, delta_);
  }

  /// A few queries of one segment with the keys they see: the reference needs no others.
  struct Window {
    std::vector<int> queries, keys;
    std::vector<int> cu_q() const { return {0, static_cast<int>(queries.size())}; }
    std::vector<int> cu_k() const { return {0, static_cast<int>(keys.size())}; }
  };
  std::vector<Window> windows() const {
    std::vector<Window> all;
    const std::size_t segments = cu_q_.size() - 1;
    for (const std::size_t s : {std::size_t{0}, segments - 1}) {
      const int first = cu_q_[s], keys = cu_k_[s], lq = cu_q_[s + 1] - first,
                lk = cu_k_[s + 1] - keys, count = std::min(4, lq);
      for (const int begin : {0, (lq - count) / 2, lq - count}) {
        const int seen = shape_.causal ? begin + count + lk - lq : lk;
        all.push_back({range(first + begin, first + begin + count), range(keys, keys + seen)});
      }
    }
    return all;
  }
  reference::AttentionShape plain(int heads, int kv_heads) const {
    return {heads, kv_heads, shape_.head_dim, shape_.causal, shape_.scale};
  }

  double forward_error() const {
    double found = 0;
    for (const Window& w : windows()) {
      const auto expected =
          reference::attention(plain(shape_.heads, shape_.kv_heads), rows_of(q_, w.queries),
                               rows_of(k_, w.keys), rows_of(v_, w.keys), w.cu_q(), w.cu_k());
      found = worse(error_within<T>(rows_of(out_, w.queries), expected.out), found);
      found = worse(error_within<float>(rows_of(log_sum_, w.queries), expected.log_sum), found);
    }
    return found;
  }
  double dq_error() const {
    double found = 0;
    for (const Window& w : windows()) {
      const auto expected = reference::attention_backward(
          plain(shape_.heads, shape_.kv_heads), rows_of(dout_, w.queries), rows_of(q_, w.queries),
          rows_of(k_, w.keys), rows_of(v_, w.keys), w.cu_q(), w.cu_k());
      found = worse(error_within<T>(rows_of(dq_, w.queries), expected.dq), found);
    }
    return found;
  }
  /// Keys get gradients from every query of their segment: one group of heads of the first.
  double dk_dv_error() const {
    const int group = shape_.heads / shape_.kv_heads;
    const std::vector<int> rows = range(0, cu_q_[1]), of_q = all(long{group} * shape_.head_dim),
                           of_k = all(shape_.head_dim), cu = {0, cu_q_[1]};
    const auto expected = reference::attention_backward(
        plain(group, 1), block(dout_, rows, of_q), block(q_, rows, of_q), block(k_, rows, of_k),
        block(v_, rows, of_k), cu, cu);
    return worse(error_within<T>(block(dk_, rows, of_k), expected.dk),
                 error_within<T>(block(dv_, rows, of_k), expected.dv));
  }

  bool backward_;
  kernels::AttentionShape shape_;
  std::vector<int> cu_q_, cu_k_;
  Vec<const int> starts_q_, starts_k_;
  Mat<T> q_, k_, v_, out_, dout_, dq_, dk_, dv_;
  Mat<float> log_sum_, delta_;
};

}  // namespace

template <class T>
Workload attention_workload(const Call& call) {
  const auto data = std::make_shared<Attention<T>>(call);
  return {[data] { data->run(); }, [data] { return data->error(); }, [data] { data->spoil(); },
          "own"};
}
template Workload attention_workload<float>(const Call&);
template Workload attention_workload<bf16>(const Call&);

}  // namespace vlmark::bench
