#include "src/verification/gemm_residual.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/gemm.hpp"
#include "tests/kernels/strided_matrix.hpp"
#include "tests/support/random_data.hpp"

namespace vlmark::test {
namespace {

using namespace kernels;
using verification::gemm_limit;
using verification::GemmProbe;
using verification::GemmResidual;

template <class T>
constexpr DType type_of() {
  return std::is_same_v<T, float> ? DType::f32 : DType::bf16;
}

/// C = op(A) op(B) (+ C) by the kernel under test; `spoil` then stands for its errors.
template <class A, class B, class C>
struct Product {
  Product(int m, int n, int k, Trans ta, Trans tb)
      : shape{type_of<A>(), type_of<B>(), type_of<C>(), ta, tb, m, n, k},
        a(gaussian(count(m, k), 1), ta == Trans::yes ? k : m, ta == Trans::yes ? m : k, 3),
        b(gaussian(count(k, n), 2), tb == Trans::yes ? n : k, tb == Trans::yes ? k : n, 5),
        c(gaussian(count(m, n), 3), m, n, 2) {}

  static std::size_t count(int rows, int columns) {
    return static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
  }
  GemmCall call(float beta) const {
    const auto at = [](const auto& m) {
      return Operand<const void*>{m.view.data(), static_cast<long>(m.view.stride(0))};
    };
    return {exec, shape, at(a), at(b), at(c), beta, nullptr};
  }
  template <class Spoil>
  GemmResidual judge(float beta, const Spoil& spoil, bool staged = false) {
    const GemmProbe probe(call(beta), Philox(1, "test"), staged);
    gemm(exec, shape.ta, shape.tb, Mat<const A>(a.view), Mat<const B>(b.view), beta, c.view);
    exec.fence("test");
    spoil();
    return probe.judge(call(beta));
  }
  GemmResidual judge(float beta, bool staged = false) {
    return judge(
        beta, [] {}, staged);
  }
  /// Every element `factor` times as large.
  void scale_result(double factor) {
    for (int i = 0; i < shape.m; ++i)
      for (int j = 0; j < shape.n; ++j)
        c.view(i, j) = narrow<C>(static_cast<float>(factor * widen(c.view(i, j))));
  }

  Exec exec;
  GemmShape shape;
  StridedMatrix<A> a;
  StridedMatrix<B> b;
  StridedMatrix<C> c;
};

constexpr Trans no = Trans::no, yes = Trans::yes;

TEST(GemmResidual, AcceptsWhatKernelsComputeInEveryForm) {
  for (const auto& [ta, tb] : {std::pair{no, no}, {no, yes}, {yes, no}, {yes, yes}})
    for (const float beta : {0.0f, 1.0f})
      for (const auto& [m, n, k] :
           {std::array{1, 1, 1}, {1, 300, 40}, {3, 5, 700}, {70, 90, 130}}) {
        SCOPED_TRACE(std::to_string(m) + "x" + std::to_string(n) + "x" + std::to_string(k));
        for (const bool staged : {false, true}) {
          EXPECT_LE((Product<float, float, float>(m, n, k, ta, tb).judge(beta, staged).worst()),
                    gemm_limit(DType::f32) / 10);
          EXPECT_LE((Product<bf16, bf16, bf16>(m, n, k, ta, tb).judge(beta, staged).worst()),
                    gemm_limit(DType::bf16));
          EXPECT_LE((Product<bf16, bf16, float>(m, n, k, ta, tb).judge(beta, staged).worst()),
                    gemm_limit(DType::f32) / 10);
        }
      }
}

TEST(GemmResidual, IsTheRelativeErrorSoThatTheLimitCuts) {
  const double limit = gemm_limit(DType::f32);
  for (const double factor : {0.95, 1.05}) {
    Product<float, float, float> p(96, 64, 128, no, yes);
    const double rho = p.judge(0, [&] { p.scale_result(1 + factor * limit); }).worst();
    EXPECT_NEAR(rho, factor * limit, 0.03 * limit);
    EXPECT_EQ(rho <= limit, factor < 1);
  }
  // One rounding to bf16 is 0.0017 by itself, at random beside an error of all elements.
  for (const auto& [factor, accepted] : {std::pair{0.75, true}, {1.05, false}}) {
    Product<bf16, bf16, float> exact(96, 64, 128, no, yes);
    Product<bf16, bf16, bf16> p(96, 64, 128, no, yes);
    exact.judge(0);
    const double rho = p.judge(0, [&] {
                          for (int i = 0; i < 96; ++i)
                            for (int j = 0; j < 64; ++j)
                              p.c.view(i, j) = narrow<bf16>(static_cast<float>(
                                  exact.c.view(i, j) * (1 + factor * gemm_limit(DType::bf16))));
                        }).whole;
    EXPECT_EQ(rho <= gemm_limit(DType::bf16), accepted) << rho;
  }
}

TEST(GemmResidual, SeesOperandsOfThreeBits) {
  Product<float, float, float> p(64, 64, 256, no, no), truth(64, 64, 256, no, no);
  for (int i = 0; i < 64; ++i)
    for (int j = 0; j < 256; ++j) {
      int exponent = 0;
      const float mantissa = std::frexp(p.a.view(i, j), &exponent);
      p.a.view(i, j) = std::ldexp(std::nearbyint(mantissa * 16) / 16, exponent);
    }
  const GemmProbe probe(p.call(0), Philox(1, "test"), false);
  gemm(p.exec, no, no, Mat<const float>(p.a.view), Mat<const float>(p.b.view), 0, p.c.view);
  p.exec.fence("test");
  Kokkos::deep_copy(p.a.view, truth.a.view);
  const double rho = probe.judge(p.call(0)).worst();
  EXPECT_GT(rho, 0.01);
  EXPECT_LT(rho, 0.1);
}

/// Section 10 of the rules: a tile of 32 x 32 that nobody wrote, in a matrix in which the residual of
/// all rows hardly shows it.
TEST(GemmResidual, SeesOneTileInALargeMatrix) {
  Product<bf16, bf16, bf16> p(2048, 4096, 16, no, yes);
  const GemmResidual residual = p.judge(0, [&] {
    for (int i = 1024; i < 1056; ++i)
      for (int j = 512; j < 544; ++j) p.c.view(i, j) = bf16{};
  });
  EXPECT_LT(residual.whole, 0.015);
  EXPECT_GT(residual.worst_rows, 0.06);
}

TEST(GemmResidual, SeesAResultThatWasNotAddedOrAddedTwice) {
  for (const float wrong : {0.0f, 2.0f}) {
    Product<float, float, float> p(40, 50, 60, yes, no);
    const Kokkos::View<float**, Kokkos::LayoutRight> before("before", 40, 50);
    Kokkos::deep_copy(before, p.c.view);
    const double rho = p.judge(1, [&] {
                          for (int i = 0; i < 40; ++i)
                            for (int j = 0; j < 50; ++j)
                              p.c.view(i, j) += (wrong - 1) * before(i, j);
                        }).worst();
    EXPECT_GT(rho, 0.05);
  }
}

TEST(GemmResidual, NanAndNothingWrittenFail) {
  for (const float value : {NAN, INFINITY, 0.0f}) {
    Product<float, float, float> p(40, 50, 60, no, no);
    const double rho = p.judge(0, [&] { Kokkos::deep_copy(p.c.view, value); }).worst();
    EXPECT_FALSE(rho <= gemm_limit(DType::f32)) << value;
  }
  Product<float, float, float> one(40, 50, 60, no, no);
  EXPECT_FALSE(one.judge(0, [&] { one.c.view(17, 3) = NAN; }).worst() <= gemm_limit(DType::f32));
}

TEST(GemmResidual, ZeroTimesAnythingIsZero) {
  Product<float, float, float> p(40, 50, 60, no, no);
  Kokkos::deep_copy(p.a.view, 0.0f);
  EXPECT_EQ(p.judge(0).worst(), 0);
}

}  // namespace
}  // namespace vlmark::test
