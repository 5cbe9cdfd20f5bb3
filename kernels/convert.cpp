#include "kernels/convert.hpp"

#include "kernels/shape.hpp"
#include "kernels/team.hpp"

namespace vlmark::kernels {
namespace {

template <class From, class To>
void convert_impl(const Exec& exec, Vec<const From> x, Vec<To> y) {
  require_shape("convert", "y", y, static_cast<long>(x.extent(0)));
  for_each_element(
      "vlmark::convert", exec, x.extent(0),
      KOKKOS_LAMBDA(std::size_t i) { y(i) = narrow<To>(widen(x(i))); });
}

template <class From, class To>
void convert_impl(const Exec& exec, Mat<const From> x, Mat<To> y) {
  const int rows = x.extent_int(0), columns = x.extent_int(1);
  require_shape("convert", "y", y, rows, columns);
  for_each_row(
      "vlmark::convert_rows", exec, rows, KOKKOS_LAMBDA(const Team& team, int t) {
        for_each(team, columns, [&](int h) { y(t, h) = narrow<To>(widen(x(t, h))); });
      });
}

}  // namespace

void convert(const Exec& exec, Vec<const float> x, Vec<bf16> y) {
  convert_impl<float, bf16>(exec, x, y);
}
void convert(const Exec& exec, Vec<const bf16> x, Vec<float> y) {
  convert_impl<bf16, float>(exec, x, y);
}
void convert(const Exec& exec, Vec<const float> x, Vec<float> y) {
  convert_impl<float, float>(exec, x, y);
}
void convert(const Exec& exec, Vec<const bf16> x, Vec<bf16> y) {
  convert_impl<bf16, bf16>(exec, x, y);
}
void convert(const Exec& exec, Mat<const float> x, Mat<bf16> y) {
  convert_impl<float, bf16>(exec, x, y);
}
void convert(const Exec& exec, Mat<const bf16> x, Mat<float> y) {
  convert_impl<bf16, float>(exec, x, y);
}
void convert(const Exec& exec, Mat<const float> x, Mat<float> y) {
  convert_impl<float, float>(exec, x, y);
}
void convert(const Exec& exec, Mat<const bf16> x, Mat<bf16> y) {
  convert_impl<bf16, bf16>(exec, x, y);
}

}  // namespace vlmark::kernels
