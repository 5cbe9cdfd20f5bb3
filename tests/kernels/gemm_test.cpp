#include "kernels/gemm.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "kernels/reference/gemm.hpp"
#include "src/base/counters.hpp"
#include "tests/kernels/forced_team.hpp"
#include "tests/kernels/strided_matrix.hpp"
#include "tests/support/expect_close.hpp"
#include "tests/support/random_data.hpp"

namespace vlmark::test {
namespace {

using namespace kernels;

struct Size {
  int m, n, k;
  friend void PrintTo(const Size& s, std::ostream* out) { *out << s.m << "x" << s.n << "x" << s.k; }
};

std::vector<GemmBackend> backends() {
  std::vector<GemmBackend> list{GemmBackend::kokkos, GemmBackend::automatic};
  if (gemm_settings().onednn) list.push_back(GemmBackend::onednn);
  return list;
}

class Gemm : public testing::TestWithParam<std::tuple<Size, bool, bool>> {
 protected:
  void TearDown() override { set_gemm_settings(detected_gemm_settings()); }

  template <class A, class B, class C>
  void check() const {
    const auto [size, transpose_a, transpose_b] = GetParam();
    const auto [m, n, k] = size;
    const auto count = [](int r, int c) { return static_cast<std::size_t>(r * c); };
    const auto a = gaussian(count(m, k), 1), b = gaussian(count(k, n), 2),
               c = gaussian(count(m, n), 3);
    const auto a64 = rounded<A>(a), b64 = rounded<B>(b), c64 = rounded<C>(c);
    const auto expected = reference::gemm(transpose_a, transpose_b, m, n, k, a64, b64);
    const auto magnitude = reference::gemm(transpose_a, transpose_b, m, n, k, abs(a64), abs(b64));
    const StridedMatrix<A> da(a, transpose_a ? k : m, transpose_a ? m : k, 3);
    const StridedMatrix<B> db(b, transpose_b ? n : k, transpose_b ? k : n, 5);
    for (const GemmBackend backend : backends())
      for (const int beta : {0, 1}) {
        SCOPED_TRACE("backend " + std::to_string(static_cast<int>(backend)) + " beta " +
                     std::to_string(beta));
        set_gemm_backend(backend);
        const StridedMatrix<C> dc =
            beta == 0 ? StridedMatrix<C>::unset(m, n, 2) : StridedMatrix<C>(c, m, n, 2);
        gemm(Exec{}, transpose_a ? Trans::yes : Trans::no, transpose_b ? Trans::yes : Trans::no,
             da.view, db.view, static_cast<float>(beta), dc.view);
        const auto actual = dc.values();
        // Higham, Accuracy and Stability, eq. 3.5: k + 1 roundings of 2^-24 on the magnitudes, and
        // half a unit in the last place of C.
        const double unit = std::is_same_v<C, bf16> ? 0x1p-8 : 0x1p-24;
        for (std::size_t i = 0; i < actual.size(); ++i) {
          const double exact = expected[i] + beta * c64[i];
          const double bound = (k + 2) * 0x1p-24 * (magnitude[i] + beta * std::abs(c64[i])) +
                               1.01 * unit * std::abs(exact);
          ASSERT_LE(std::abs(actual[i] - exact), bound) << "element " << i << " is " << actual[i];
        }
        EXPECT_TRUE(dc.gap_untouched());
      }
  }

  static std::vector<double> abs(std::vector<double> x) {
    for (double& value : x) value = std::abs(value);
    return x;
  }
};

TEST_P(Gemm, F32MatchesReference) { check<float, float, float>(); }
TEST_P(Gemm, Bf16MatchesReference) { check<bf16, bf16, bf16>(); }
TEST_P(Gemm, Bf16IntoF32MatchesReference) { check<bf16, bf16, float>(); }
TEST_P(Gemm, F32TimesBf16IntoBf16MatchesReference) { check<float, bf16, bf16>(); }
TEST_P(Gemm, F32TimesBf16MatchesReference) { check<float, bf16, float>(); }
TEST_P(Gemm, Bf16TimesF32MatchesReference) { check<bf16, float, float>(); }
TEST_P(Gemm, TeamsOfTwoMatchReference) {
  if (Exec().concurrency() < 2) GTEST_SKIP() << "needs two threads";
  const ForcedTeam team(2);
  check<bf16, bf16, bf16>();
}

// Zeros; ones; odd; a whole register block; just beyond a tile of rows (120), columns (256) and
// depth (256); several tiles of rows for one team; rows of the skinny kernel.
INSTANTIATE_TEST_SUITE_P(
    Sizes, Gemm,
    testing::Combine(testing::Values(Size{0, 3, 4}, Size{3, 0, 4}, Size{3, 4, 0}, Size{1, 1, 1},
                                     Size{2, 3, 5}, Size{1, 17, 70}, Size{4, 37, 259},
                                     Size{3, 8, 16}, Size{6, 32, 256}, Size{7, 13, 31},
                                     Size{121, 257, 258}, Size{730, 20, 258}),
                     testing::Bool(), testing::Bool()));

// A panel of the converting kernel is 1024 long: only a product beyond it joins two panels.
TEST(GemmPanels, JoinPanelsInEachDirection) {
  if (!gemm_settings().onednn) GTEST_SKIP() << "needs oneDNN";
  for (const auto& [m, n, k] : {Size{1030, 9, 5}, Size{9, 1030, 5}, Size{6, 5, 2060}}) {
    const auto a = gaussian(static_cast<std::size_t>(m * k), 1),
               b = gaussian(static_cast<std::size_t>(n * k), 2);
    const StridedMatrix<bf16> da(a, m, k, 1), db(b, n, k, 1);
    const auto dc = StridedMatrix<bf16>::unset(m, n, 1);
    set_gemm_backend(GemmBackend::onednn);
    gemm(Exec{}, Trans::no, Trans::yes, da.view, db.view, 0, dc.view);
    set_gemm_settings(detected_gemm_settings());
    const auto expected = reference::gemm(false, true, m, n, k, rounded<bf16>(a), rounded<bf16>(b));
    EXPECT_TRUE(close(dc.values(), expected, 0x1p-8, 1e-3));
  }
}

TEST(GemmProperty, OwnKernelDoesNotDependOnTheSizeOfC) {
  // The first rows and columns of a product are the product of the first rows and columns, bit for
  // bit: packing more tokens into a batch does not change one token.
  const int m = 150, n = 300, k = 333;
  const auto a = gaussian(static_cast<std::size_t>(m * k), 1),
             b = gaussian(static_cast<std::size_t>(n * k), 2);
  const StridedMatrix<float> da(a, m, k, 0), db(b, n, k, 0);
  const auto whole = StridedMatrix<float>::unset(m, n, 0),
             part = StridedMatrix<float>::unset(11, 21, 0);
  set_gemm_backend(GemmBackend::kokkos);
  gemm(Exec{}, Trans::no, Trans::yes, da.view, db.view, 0, whole.view);
  gemm(Exec{}, Trans::no, Trans::yes, Kokkos::subview(da.view, std::pair(0, 11), Kokkos::ALL),
       Kokkos::subview(db.view, std::pair(0, 21), Kokkos::ALL), 0, part.view);
  set_gemm_settings(detected_gemm_settings());
  const auto all = whole.values(), some = part.values();
  for (int i = 0; i < 11; ++i)
    for (int j = 0; j < 21; ++j)
      ASSERT_EQ(some[static_cast<std::size_t>(i * 21 + j)],
                all[static_cast<std::size_t>(i * n + j)]);
}

TEST(GemmCounters, BookTwoFlopsAnElementAndTheKernelOnThePart) {
  counters().reset();
  const Mat<float> a("a", 5, 7), b("b", 6, 7), c("c", 5, 6);
  set_gemm_backend(GemmBackend::kokkos);
  {
    const CountedPart part(Part::merger);
    gemm(Exec{}, Trans::no, Trans::yes, a, b, 0, c);
    gemm(Exec{}, Trans::no, Trans::yes, a, b, 1, c);
  }
  set_gemm_settings(detected_gemm_settings());
  EXPECT_EQ(counters().gemm_flops[static_cast<int>(Part::merger)], 2u * 2 * 5 * 6 * 7);
  EXPECT_EQ(counters().flops(), 2u * 2 * 5 * 6 * 7);
  EXPECT_EQ(counters().kernels.at("gemm nt f32 5x6x7").at("kokkos_tiled"), 2u);
  counters().reset();
}

TEST(GemmChoice, FollowsTypesInstructionsAndBackend) {
  const DType f = DType::f32, h = DType::bf16;
  const GemmSettings avx2{GemmBackend::automatic, true, false},
      amx{GemmBackend::automatic, true, true}, bare{GemmBackend::automatic, false, false};
  const GemmShape f32{f, f, f, Trans::no, Trans::yes, 64, 64, 64};
  const GemmShape half{h, h, h, Trans::no, Trans::yes, 600, 600, 64};
  const GemmShape mixed{f, h, h, Trans::no, Trans::no, 600, 600, 64};
  const GemmShape few{h, h, h, Trans::no, Trans::yes, 8, 600, 64};
  const GemmShape decode{h, h, h, Trans::no, Trans::yes, 1, 64, 64};
  EXPECT_EQ(choose_gemm(f32, avx2), GemmKernel::onednn_sgemm);
  EXPECT_EQ(choose_gemm(half, avx2), GemmKernel::onednn_panels);
  EXPECT_EQ(choose_gemm(few, avx2), GemmKernel::kokkos_tiled);
  EXPECT_EQ(choose_gemm(few, amx), GemmKernel::onednn_bf16);
  EXPECT_EQ(choose_gemm(half, amx), GemmKernel::onednn_bf16);
  EXPECT_EQ(choose_gemm(mixed, amx), GemmKernel::onednn_panels);
  EXPECT_EQ(choose_gemm(decode, avx2), GemmKernel::kokkos_skinny);
  EXPECT_EQ(choose_gemm(f32, bare), GemmKernel::kokkos_tiled);
  EXPECT_EQ(choose_gemm(half, bare), GemmKernel::kokkos_tiled);
}

TEST(GemmChoice, RefusesWhatThisBuildLacks) {
  if (detected_gemm_settings().onednn) GTEST_SKIP() << "needs a build without oneDNN";
  const auto says = [](const char* text) {
    return testing::ThrowsMessage<DeviceError>(testing::HasSubstr(text));
  };
  EXPECT_THAT([] { set_gemm_backend(GemmBackend::onednn); },
              says("oneDNN is asked for but this build has none"));
  EXPECT_THAT(
      [] {
        set_gemm_settings({GemmBackend::automatic, true, false});
      },
      says("Configure with VLMARK_ONEDNN=ON or use the Kokkos back end"));
  EXPECT_EQ(gemm_settings().backend, GemmBackend::automatic);
}

TEST(GemmChoice, PrefersCublasltWhereItServes) {
  const DType f = DType::f32, h = DType::bf16;
  GemmSettings device{GemmBackend::automatic, false, false, 130100, 90132};
  for (const auto& [c, a] : {std::pair(f, f), std::pair(h, h), std::pair(f, h)})
    EXPECT_EQ(choose_gemm({a, a, c, Trans::no, Trans::yes, 8, 64, 64}, device),
              GemmKernel::cublaslt);
  EXPECT_EQ(choose_gemm({h, h, h, Trans::no, Trans::yes, 1, 64, 64}, device), GemmKernel::cublaslt);
  EXPECT_EQ(choose_gemm({f, h, f, Trans::no, Trans::no, 8, 64, 64}, device),
            GemmKernel::kokkos_tiled);
  EXPECT_EQ(choose_gemm({f, f, h, Trans::no, Trans::no, 8, 64, 64}, device),
            GemmKernel::kokkos_tiled);
  device.backend = GemmBackend::kokkos;
  EXPECT_EQ(choose_gemm({h, h, h, Trans::no, Trans::no, 8, 64, 64}, device),
            GemmKernel::kokkos_tiled);
}

TEST(GemmChoice, ALibraryOrDeviceThatIsNotHereIsRefused) {
  GemmSettings other = gemm_settings();
  other.cublaslt = 999999;
  other.cublaslt_device = 90001;
  EXPECT_THAT([&] { set_gemm_settings(other); },
              testing::ThrowsMessage<DeviceError>(
                  testing::HasSubstr("cuBLASLt 999999 on device 90001 is asked for")));
}

TEST(GemmBias, StandsOnEveryRowAndIsRoundedOnce) {
  const int m = 5, n = 9, k = 33;
  const auto a = gaussian(static_cast<std::size_t>(m * k), 1),
             b = gaussian(static_cast<std::size_t>(n * k), 2),
             bias = gaussian(static_cast<std::size_t>(n), 3, 100);
  const StridedMatrix<bf16> da(a, m, k, 1), db(b, n, k, 2);
  const auto row = StridedMatrix<bf16>(bias, 1, n, 0);
  const Vec<const bf16> on_device(row.view.data(), static_cast<std::size_t>(n));
  const auto with = StridedMatrix<bf16>::unset(m, n, 3);
  gemm_bias(Exec{}, Trans::no, Trans::yes, da.view, db.view, on_device, with.view);
  auto expected = reference::gemm(false, true, m, n, k, rounded<bf16>(a), rounded<bf16>(b));
  const auto added = rounded<bf16>(bias);
  for (std::size_t i = 0; i < expected.size(); ++i) expected[i] += added[i % n];
  EXPECT_TRUE(close(with.values(), expected, 0x1p-8, 1e-3));
  EXPECT_TRUE(with.gap_untouched());
  const auto without = StridedMatrix<bf16>::unset(m, n, 3);
  gemm_bias(Exec{}, Trans::no, Trans::yes, da.view, db.view, {}, without.view);
  EXPECT_TRUE(close(without.values(),
                    reference::gemm(false, true, m, n, k, rounded<bf16>(a), rounded<bf16>(b)),
                    0x1p-8, 1e-3));
  EXPECT_THAT(
      [&] {
        gemm_bias(Exec{}, Trans::no, Trans::yes, da.view, db.view,
                  Vec<const bf16>(row.view.data(), 8), with.view);
      },
      testing::ThrowsMessage<ShapeError>(
          testing::HasSubstr("argument 'bias' has shape [8] (expected [9])")));
}

TEST(GemmErrors, NameArgumentAndBothValues) {
  const Mat<float> a("a", 2, 8), b("b", 3, 7), c("c", 2, 3);
  EXPECT_THAT([&] { gemm(Exec{}, Trans::no, Trans::yes, a, b, 0, c); },
              testing::ThrowsMessage<ShapeError>(
                  testing::HasSubstr("argument 'b' has shape [3, 7] (expected [3, 8])")));
  const Mat<float> d("d", 3, 8);
  EXPECT_THAT([&] { gemm(Exec{}, Trans::no, Trans::yes, a, d, 0.5f, c); },
              testing::ThrowsMessage<ValueError>(testing::HasSubstr("beta is 0.5")));
}

}  // namespace
}  // namespace vlmark::test
