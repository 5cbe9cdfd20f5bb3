#include "kernels/float_vector.hpp"
#include "kernels/gemm_kernels.hpp"
#include "kernels/team.hpp"

namespace vlmark::kernels {
namespace {

constexpr int kColumnsOfTeam = 32;

/// out[i] = x[i,:] . w for Rows rows of x: lane l of the two vectors sums the elements that lie
/// l after a multiple of 2 kVector, then the lanes are joined as a tree.
template <int Rows, class A, class B>
KOKKOS_INLINE_FUNCTION void dot_products(int k, const A* x, long x_row, const B* w, float* out) {
  FloatVector sum[Rows][2] = {};
  int l = 0;
  for (; l + 2 * kVector <= k; l += 2 * kVector) {
    const FloatVector w0 = load_vector(w + l), w1 = load_vector(w + l + kVector);
#pragma GCC unroll 4
    for (int i = 0; i < Rows; ++i) {
      sum[i][0] = sum[i][0] + load_vector(x + i * x_row + l) * w0;
      sum[i][1] = sum[i][1] + load_vector(x + i * x_row + l + kVector) * w1;
    }
  }
  for (int i = 0; i < Rows; ++i) {
    float rest = 0;
    for (int t = l; t < k; ++t) rest += widen(x[i * x_row + t]) * widen(w[t]);
    out[i] = sum_of_lanes(sum[i][0] + sum[i][1]) + rest;
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
        for_each(team, Kokkos::min(kColumnsOfTeam, n - j0), [=](int j) {
          float sums[Rows];
          dot_products<Rows>(k, x, x_row, w + (j0 + j) * w_row, sums);
          for (int i = 0; i < Rows; ++i) {
            C& out = y[i * y_row + j0 + j];
            out = narrow<C>(add ? sums[i] + widen(out) : sums[i]);
          }
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
