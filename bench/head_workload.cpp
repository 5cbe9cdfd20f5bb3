#include <cmath>
#include <memory>

#include "bench/data.hpp"
#include "bench/workload.hpp"
#include "kernels/cross_entropy_slices.hpp"
#include "kernels/linear_cross_entropy.hpp"
#include "kernels/reference/cross_entropy.hpp"
#include "kernels/reference/gemm.hpp"
#include "src/base/philox.hpp"
#include "src/base/workspace.hpp"

namespace vlmark::bench {
namespace {

namespace reference = kernels::reference;

std::vector<int> random_targets(long rows, int vocab) {
  const Philox random(1, "bench::targets");
  std::vector<int> targets;
  for (long t = 0; t < rows; ++t)
    targets.push_back(static_cast<int>(
        random.below(static_cast<std::uint64_t>(t), static_cast<std::uint64_t>(vocab))));
  return targets;
}

/// The fused head and loss. Of the result are judged: the losses and dh of a few rows, from all
/// logits of those rows; and dW of a few words, from every row's logit of that word and its loss.
template <class T>
class Head {
 public:
  explicit Head(const Call& c)
      : rows_(static_cast<int>(c.m)),
        vocab_(static_cast<int>(c.n)),
        hidden_(static_cast<int>(c.k)),
        targets_(random_targets(c.m, vocab_)),
        h_(uniform<T>(c.m, c.k, 1)),
        w_(uniform<T>(c.n, c.k, 2)),
        dh_(uniform<T>(c.m, c.k, 3)),
        dw_(uniform<float>(c.n, c.k, 4)),
        losses_("bench::losses", c.m),
        tile_("bench::tile", linear_cross_entropy_tile(rows_, vocab_), vocab_),
        on_device_(to_kernels(targets_)),
        words_(sample(c.n, 8)),
        sampled_(sample(c.m, 3)),
        dw_before_(rows_of(dw_, words_)) {}

  void run() const {
    kernels::linear_cross_entropy(Exec{}, h_, w_, on_device_, kScale, losses_, dh_, dw_, tile_);
  }
  double error() const { return worse(rows_error(), words_error()); }
  void spoil() const { bench::spoil(dh_); }

 private:
  static constexpr float kScale = 1;

  double rows_error() const {
    constexpr int step = 4096;  // words whose weights are on the host at a time
    const int n = static_cast<int>(sampled_.size());
    const auto h = rows_of(h_, sampled_);
    std::vector<double> logits(static_cast<std::size_t>(n) * static_cast<std::size_t>(vocab_));
    const auto blocks = [&](const auto& body) {
      for (int begin = 0; begin < vocab_; begin += step) {
        std::vector<int> part = all(std::min(step, vocab_ - begin));
        for (int& word : part) word += begin;
        body(begin, static_cast<int>(part.size()), rows_of(w_, part));
      }
    };
    blocks([&](int begin, int count, const auto& w) {
      const auto z = reference::gemm(false, true, n, count, hidden_, h, w);
      for (int t = 0; t < n; ++t)
        for (int v = 0; v < count; ++v) logits[at(t, begin + v)] = z[idx(t, count, v)];
    });
    std::vector<int> targets;
    for (const int row : sampled_) targets.push_back(targets_[static_cast<std::size_t>(row)]);
    const auto expected = reference::softmax_cross_entropy(logits, targets, vocab_, kScale);
    std::vector<double> dh(h.size());
    blocks([&](int begin, int count, const auto& w) {
      std::vector<double> dz(static_cast<std::size_t>(n) * static_cast<std::size_t>(count));
      for (int t = 0; t < n; ++t)
        for (int v = 0; v < count; ++v) dz[idx(t, count, v)] = expected.d_logits[at(t, begin + v)];
      const auto part = reference::gemm(false, false, n, hidden_, count, dz, w);
      for (std::size_t i = 0; i < dh.size(); ++i) dh[i] += part[i];
    });
    return worse(error_of<float>(values(losses_, sampled_), expected.losses),
                 error_of<T>(rows_of(dh_, sampled_), dh));
  }

  double words_error() const {
    const int n = static_cast<int>(words_.size());
    const auto h = rows_of(h_, all(rows_)), w = rows_of(w_, words_), losses = values(losses_);
    const auto z = reference::gemm(false, true, rows_, n, hidden_, h, w);
    // dz = exp(z - log sum) - [target], and log sum = loss + logit of the target.
    std::vector<double> dz(z.size());
    for (int t = 0; t < rows_; ++t) {
      const int target = targets_[static_cast<std::size_t>(t)];
      const auto row = std::vector<int>{target};
      const auto target_logit = reference::gemm(
          false, true, 1, 1, hidden_,
          std::span(h).subspan(static_cast<std::size_t>(t) * hidden(), hidden()), rows_of(w_, row));
      for (int v = 0; v < n; ++v)
        dz[idx(t, n, v)] =
            std::exp(z[idx(t, n, v)] - losses[static_cast<std::size_t>(t)] - target_logit[0]) -
            (words_[static_cast<std::size_t>(v)] == target ? 1 : 0);
    }
    auto expected = reference::gemm(true, false, n, hidden_, rows_, dz, h);
    for (std::size_t i = 0; i < expected.size(); ++i) expected[i] += dw_before_[i];
    return error_of<float>(rows_of(dw_, words_), expected);
  }

  std::size_t hidden() const { return static_cast<std::size_t>(hidden_); }
  static std::size_t idx(int row, int width, int column) {
    return static_cast<std::size_t>(row) * static_cast<std::size_t>(width) +
           static_cast<std::size_t>(column);
  }
  std::size_t at(int t, int v) const { return idx(t, vocab_, v); }

  int rows_, vocab_, hidden_;
  std::vector<int> targets_;
  Mat<T> h_, w_, dh_;
  Mat<float> dw_;
  Vec<float> losses_;
  Mat<float> tile_;
  Vec<const int> on_device_;
  std::vector<int> words_, sampled_;
  std::vector<double> dw_before_;
};

/// The softmax of logits whose vocabulary is cut into slices: the kernels of one rank. The other
/// slices hold the same logits, so that their maxima and sums are known.
Workload slices(const Call& c) {
  const int rows = static_cast<int>(c.m), slice = static_cast<int>(c.n), ranks = c.tensor_ranks;
  const Mat<float> logits = uniform<float>(c.m, c.n, 1), work = uniform<float>(c.m, c.n, 2);
  const Mat<float> maxima("bench::maxima", ranks, rows), sums("bench::sums", ranks, rows),
      target_logits("bench::target_logits", ranks, rows);
  const Vec<float> losses("bench::losses", rows);
  const std::vector<int> targets = random_targets(rows, slice);
  const Vec<const int> on_device = to_kernels(targets);
  const auto run = [=] {
    const Exec exec;
    const auto row = [](const Mat<float>& m, int r) -> Vec<float> {
      return Kokkos::subview(m, r, Kokkos::ALL);
    };
    Kokkos::deep_copy(exec, work, logits);
    kernels::slice_maximum(exec, work, on_device, 0, row(maxima, 0), row(target_logits, 0));
    for (int r = 1; r < ranks; ++r) Kokkos::deep_copy(exec, row(maxima, r), row(maxima, 0));
    kernels::slice_exponentials(exec, work, maxima, true, row(sums, 0));
    for (int r = 1; r < ranks; ++r) Kokkos::deep_copy(exec, row(sums, r), row(sums, 0));
    kernels::slice_losses(exec, maxima, sums, target_logits, losses);
    kernels::slice_gradient(exec, work, on_device, 0, sums, 1);
  };
  const auto error = [=] {
    const std::vector<int> sampled = sample(rows, 8);
    const auto own = rows_of(logits, sampled);
    std::vector<double> whole, expected_gradient;
    std::vector<int> y;
    for (std::size_t t = 0; t < sampled.size(); ++t) {
      const auto begin = own.begin() + static_cast<long>(t) * slice;
      for (int r = 0; r < ranks; ++r) whole.insert(whole.end(), begin, begin + slice);
      y.push_back(targets[static_cast<std::size_t>(sampled[t])]);
    }
    const auto expected = reference::softmax_cross_entropy(whole, y, ranks * slice, 1);
    for (std::size_t t = 0; t < sampled.size(); ++t) {
      const auto begin = expected.d_logits.begin() + static_cast<long>(t) * ranks * slice;
      expected_gradient.insert(expected_gradient.end(), begin, begin + slice);
    }
    return worse(error_of<float>(values(losses, sampled), expected.losses),
                 error_of<float>(rows_of(work, sampled), expected_gradient));
  };
  return {run, error, [=] { spoil(work); }, ""};
}

}  // namespace

template <class T>
Workload head_workload(const Call& call) {
  if (call.kernel == "softmax_slices") return slices(call);
  const auto head = std::make_shared<Head<T>>(call);
  return {[head] { head->run(); }, [head] { return head->error(); }, [head] { head->spoil(); }, ""};
}
template Workload head_workload<float>(const Call&);
template Workload head_workload<bf16>(const Call&);

}  // namespace vlmark::bench
