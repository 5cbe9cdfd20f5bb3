#include "kernels/planted_fault.hpp"

namespace vlmark::kernels {
namespace {

template <class T>
Mat<const T> truncated_impl(const Exec& exec, const Mat<const T>& x) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint16_t>;
  constexpr int dropped = sizeof(T) == 4 ? 20 : 4;  // of 23 and 7 bits of mantissa
  const Mat<T> y("vlmark::truncated", x.extent(0), x.extent(1));
  Kokkos::parallel_for(
      "vlmark::truncated",
      Kokkos::MDRangePolicy<Exec, Kokkos::Rank<2>>(exec, {0, 0},
                                                   {x.extent_int(0), x.extent_int(1)}),
      KOKKOS_LAMBDA(int i, int j) {
        const Bits half = Bits(1) << (dropped - 1);
        const Bits kept = static_cast<Bits>(~((Bits(1) << dropped) - 1));
        y(i, j) =
            Kokkos::bit_cast<T>(static_cast<Bits>((Kokkos::bit_cast<Bits>(x(i, j)) + half) & kept));
      });
  return y;
}

}  // namespace

Mat<const float> truncated(const Exec& exec, Mat<const float> x) {
  return truncated_impl<float>(exec, x);
}
Mat<const bf16> truncated(const Exec& exec, Mat<const bf16> x) {
  return truncated_impl<bf16>(exec, x);
}

void scale(const Exec& exec, float factor, Mat<float> x) {
  Kokkos::parallel_for(
      "vlmark::scale",
      Kokkos::MDRangePolicy<Exec, Kokkos::Rank<2>>(exec, {0, 0},
                                                   {x.extent_int(0), x.extent_int(1)}),
      KOKKOS_LAMBDA(int i, int j) { x(i, j) *= factor; });
}

}  // namespace vlmark::kernels
