#include "kernels/float_vector.hpp"
#include "kernels/gemm_kernels.hpp"
#include "kernels/team.hpp"

namespace vlmark::kernels {
namespace {

constexpr int kColumnsOfTeam = 32;

/// Columns of y taken together: their sums run side by side, which hides the latency of an
/// addition.
template <int Rows>
inline constexpr int kColumns = Rows == 1 ? 4 : (Rows == 2 ? 2 : 1);

/// y(i, j) = x[i,:] . w[j,:] for Rows rows of x and Columns rows of w: lane l of the two vectors
/// sums the elements that lie l after a multiple of 2 kVector, then the lanes are joined as a tree.
template <int Rows, int Columns, class A, class B, class Y>
KOKKOS_INLINE_FUNCTION void dot_products(int k, const A* x, long x_row, const B* w, long w_row,
                                         const Y& y) {
  FloatVector sum[Columns][Rows][2] = {};
  int l = 0;
  for (; l + 2 * kVector <= k; l += 2 * kVector) {
#pragma GCC unroll 2
    for (int part = 0; part < 2; ++part) {
      FloatVector xs[Rows];
#pragma GCC unroll 4
      for (int i = 0; i < Rows; ++i) xs[i] = load_vector(x + i * x_row + l + part * kVector);
#pragma GCC unroll 4
      for (int j = 0; j < Columns; ++j) {
        const FloatVector ws = load_vector(w + j * w_row + l + part * kVector);
#pragma GCC unroll 4
        for (int i = 0; i < Rows; ++i) sum[j][i][part] = sum[j][i][part] + xs[i] * ws;
      }
    }
  }
  for (int j = 0; j < Columns; ++j)
    for (int i = 0; i < Rows; ++i) {
      float rest = 0;
      for (int t = l; t < k; ++t) rest += widen(x[i * x_row + t]) * widen(w[j * w_row + t]);
      y(i, j, sum_of_lanes(sum[j][i][0] + sum[j][i][1]) + rest);
    }
}

template <int Rows, class A, class B, class C>
void run(const Exec& exec, const GemmArguments<A, B, C>& arguments) {
  const int n = arguments.shape.n, k = arguments.shape.k;
  const A* x = arguments.a.data();
  const B* w = arguments.b.data();
  C* y = arguments.c.data();
  const long x_row = static_cast<long>(arguments.a.stride(0));
  const long w_row = static_cast<long>(arguments.b.stride(0));
  const long y_row = static_cast<long>(arguments.c.stride(0));
  const bool add = arguments.beta != 0;
  for_each_row(
      "vlmark::gemm_skinny", exec, (n + kColumnsOfTeam - 1) / kColumnsOfTeam,
      KOKKOS_LAMBDA(const Team& team, int block) {
        const int j0 = block * kColumnsOfTeam;
        const int columns = smaller(kColumnsOfTeam, n - j0);
        for_each(team, (columns + kColumns<Rows> - 1) / kColumns<Rows>, [=](int group) {
          const int j = j0 + group * kColumns<Rows>, end = Kokkos::min(j + kColumns<Rows>, n);
          const auto store = [=](int first) {
            return [=](int i, int column, float sum) {
              C& out = y[i * y_row + first + column];
              out = narrow<C>(add ? sum + widen(out) : sum);
            };
          };
          if (end == j + kColumns<Rows>)
            dot_products<Rows, kColumns<Rows>>(k, x, x_row, w + j * w_row, w_row, store(j));
          else
            for (int one = j; one < end; ++one)
              dot_products<Rows, 1>(k, x, x_row, w + one * w_row, w_row, store(one));
        });
      });
}

}  // namespace

template <class A, class B, class C>
void gemm_skinny(const Exec& exec, const GemmArguments<A, B, C>& arguments) {
  static_assert(gemm_skinny_rows == 4);
  switch (arguments.shape.m) {
    case 1:
      return run<1>(exec, arguments);
    case 2:
      return run<2>(exec, arguments);
    case 3:
      return run<3>(exec, arguments);
    default:
      return run<4>(exec, arguments);
  }
}

template void gemm_skinny(const Exec&, const GemmArguments<float, float, float>&);
template void gemm_skinny(const Exec&, const GemmArguments<bf16, bf16, bf16>&);
template void gemm_skinny(const Exec&, const GemmArguments<bf16, bf16, float>&);
template void gemm_skinny(const Exec&, const GemmArguments<float, bf16, bf16>&);
template void gemm_skinny(const Exec&, const GemmArguments<float, bf16, float>&);
template void gemm_skinny(const Exec&, const GemmArguments<bf16, float, float>&);

}  // namespace vlmark::kernels
