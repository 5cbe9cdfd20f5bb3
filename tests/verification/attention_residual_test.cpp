#include "src/verification/attention_residual.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/kernels/strided_matrix.hpp"
#include "tests/support/random_data.hpp"

namespace vlmark::test {
namespace {

using namespace kernels;
using verification::attention_limit;
using verification::attention_residual;

template <class T>
struct Case {
  explicit Case(bool causal)
      : shape{4, 2, 16, causal, 0.25f},
        q(gaussian(40 * 64, 1), 40, 64, 8),
        k(gaussian(40 * 32, 2), 40, 32, 8),
        v(gaussian(40 * 32, 3), 40, 32, 8),
        out(StridedMatrix<T>::unset(40, 64, 4)),
        log_sum("log_sum", 40, 4) {
    attention(exec, shape, Mat<const T>(q.view), Mat<const T>(k.view), Mat<const T>(v.view),
              to_device(cu), to_device(cu), out.view, log_sum);
    exec.fence("test");
  }
  double residual(bool causal, int samples = 400, bool staged = false) const {
    const auto at = [](const auto& m) {
      return Operand<const void*>{m.view.data(), static_cast<long>(m.view.stride(0))};
    };
    const DType type = std::is_same_v<T, float> ? DType::f32 : DType::bf16;
    return attention_residual({exec, shape, type, at(q), at(k), at(v), at(out), cu}, causal,
                              Philox(1, "test"), samples, staged);
  }
  void scale(int first, int last, double factor) {
    for (int i = first; i < last; ++i)
      for (int j = 0; j < 64; ++j)
        out.view(i, j) = narrow<T>(static_cast<float>(factor * widen(out.view(i, j))));
  }

  Exec exec;
  AttentionShape shape;
  std::vector<int> cu{0, 1, 25, 40};
  StridedMatrix<T> q, k, v, out;
  Mat<float> log_sum;
};

TEST(AttentionResidual, AcceptsWhatTheKernelComputes) {
  for (const bool causal : {false, true}) {
    EXPECT_LE(Case<float>(causal).residual(causal), attention_limit(DType::f32) / 10);
    EXPECT_LE(Case<bf16>(causal).residual(causal), attention_limit(DType::bf16) / 2);
    EXPECT_EQ(Case<float>(causal).residual(causal, 64, true),
              Case<float>(causal).residual(causal, 64));
  }
}

TEST(AttentionResidual, IsTheRelativeErrorSoThatTheLimitCuts) {
  const double limit = attention_limit(DType::f32);
  for (const double factor : {0.95, 1.05}) {
    Case<float> c(true);
    c.scale(0, 40, 1 + factor * limit);
    EXPECT_EQ(c.residual(true) <= limit, factor < 1);
  }
}

TEST(AttentionResidual, TheRuleOfTheModelDecidesOnTheMask) {
  EXPECT_GT(Case<float>(false).residual(true), 0.1);
  EXPECT_GT(Case<float>(true).residual(false), 0.1);
}

TEST(AttentionResidual, FirstAndLastRowsOfSegmentsAreAmongTheSamples) {
  for (const int row : {1, 24}) {
    Case<float> c(true);
    c.scale(row, row + 1, 1.01);
    EXPECT_GT(c.residual(true, 64), 0.005) << row;
  }
}

TEST(AttentionResidual, NanFails) {
  Case<float> c(true);
  for (int j = 0; j < 64; ++j) c.out.view(30, j) = NAN;
  EXPECT_FALSE(c.residual(true) <= attention_limit(DType::f32));
}

}  // namespace
}  // namespace vlmark::test
