#include <algorithm>
#include <mutex>

#include "kernels/gemm_kernels.hpp"
#include "kernels/gemm_onednn.hpp"
#include "kernels/team.hpp"

namespace vlmark::kernels {
namespace {

// 12 MiB in all; a panel of 1024 keeps the conversions below 5 % of the product.
constexpr int kPanel = 1024;

struct Scratch {
  std::mutex mutex;
  Mat<float> a{"vlmark::gemm_panel_a", kPanel, kPanel};
  Mat<float> b{"vlmark::gemm_panel_b", kPanel, kPanel};
  Mat<float> c{"vlmark::gemm_panel_c", kPanel, kPanel};
};

Scratch& scratch() {
  // Freed by Kokkos::finalize's hook: a static View would outlive Kokkos.
  static Scratch* instance = [] {
    auto* made = new Scratch;
    Kokkos::push_finalize_hook([made] { delete made; });
    return made;
  }();
  return *instance;
}

using Block = std::pair<int, int>;

template <class T>
Mat<T> block(const Mat<T>& m, Block rows, Block columns) {
  return Kokkos::subview(m, rows, columns);
}

template <class From, class To>
void copy(const Exec& exec, const Mat<From>& from, const Mat<To>& to) {
  for_each_row(
      "vlmark::gemm_panels", exec, from.extent_int(0), KOKKOS_LAMBDA(const Team& team, int r) {
        for_each(team, from.extent_int(1),
                 [&](int c) { to(r, c) = narrow<To>(widen(from(r, c))); });
      });
}

/// Rows and columns [..) of an operand as fp32: in place where it is fp32, else converted into
/// `panel`.
Operand<const float*> as_f32(const Exec&, const Mat<const float>& m, Block rows, Block columns,
                             const Mat<float>&) {
  const Mat<const float> part = block(m, rows, columns);
  return {part.data(), static_cast<long>(m.stride(0))};
}
Operand<const float*> as_f32(const Exec& exec, const Mat<const bf16>& m, Block rows, Block columns,
                             const Mat<float>& panel) {
  copy(exec, block(m, rows, columns), panel);
  return {panel.data(), static_cast<long>(panel.stride(0))};
}

Block part(int index, int length) {
  return {index * kPanel, std::min(length, (index + 1) * kPanel)};
}
int parts(int length) { return (length + kPanel - 1) / kPanel; }

}  // namespace

std::size_t gemm_panels_scratch_bytes() { return 3 * sizeof(float) * kPanel * kPanel; }

template <class A, class B, class C>
void gemm_panels(const Exec& exec, const GemmArguments<A, B, C>& arguments) {
  const GemmShape& s = arguments.shape;
  Scratch& own = scratch();
  const std::lock_guard lock(own.mutex);
  constexpr bool f32_result = std::is_same_v<C, float>;
  const auto stored = [](Trans t, Block rows, Block columns) {
    return t == Trans::yes ? std::pair(columns, rows) : std::pair(rows, columns);
  };
  for (int nb = 0; nb < parts(s.n); ++nb)
    for (int mb = 0; mb < parts(s.m); ++mb) {
      const Block rows = part(mb, s.m), columns = part(nb, s.n);
      const int m = rows.second - rows.first, n = columns.second - columns.first;
      const Mat<C> c = block(arguments.c, rows, columns);
      Operand<float*> sums{own.c.data(), kPanel};
      if constexpr (f32_result) sums = {c.data(), static_cast<long>(arguments.c.stride(0))};
      if (!f32_result && arguments.beta != 0) copy(exec, c, own.c);
      for (int kb = 0; kb < parts(s.k); ++kb) {
        const Block depth = part(kb, s.k);
        const auto [a_rows, a_columns] = stored(s.ta, rows, depth);
        const auto [b_rows, b_columns] = stored(s.tb, depth, columns);
        const auto a = as_f32(exec, arguments.a, a_rows, a_columns, own.a);
        const auto b = as_f32(exec, arguments.b, b_rows, b_columns, own.b);
        onednn_sgemm(s.ta, s.tb, m, n, depth.second - depth.first, a, b,
                     kb == 0 ? arguments.beta : 1.0f, sums);
      }
      if (!f32_result) copy(exec, block(own.c, {0, m}, {0, n}), c);
    }
}

template void gemm_panels(const Exec&, const GemmArguments<float, float, float>&);
template void gemm_panels(const Exec&, const GemmArguments<bf16, bf16, bf16>&);
template void gemm_panels(const Exec&, const GemmArguments<bf16, bf16, float>&);
template void gemm_panels(const Exec&, const GemmArguments<float, bf16, bf16>&);
template void gemm_panels(const Exec&, const GemmArguments<float, bf16, float>&);
template void gemm_panels(const Exec&, const GemmArguments<bf16, float, float>&);

}  // namespace vlmark::kernels
