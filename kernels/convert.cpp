#include "kernels/convert.hpp"

#include "kernels/shape.hpp"
#include "kernels/team.hpp"

namespace vlmark::kernels {
namespace {

template <class From, class To>
void convert_impl(const Exec& exec, Vec<const From> x, Vec<To> y) {
  require_shape("convert", "y", y, static_cast<long>(x.extent(0)));
  const auto packs = packing(x, y);
  for_each_chunk(
      "vlmark::convert", exec, x.extent(0),
      KOKKOS_LAMBDA(const Team& team, std::size_t begin, int count) {
        const From* in = x.data() + begin;
        To* out = y.data() + begin;
        for_each(team, count, packs, [=](auto at) {
          const auto a = at.load(in);
          at.store(out, [&](int j) { return a[j]; });
        });
      });
}

template <class From, class To>
void convert_impl(const Exec& exec, Mat<const From> x, Mat<To> y) {
  const int rows = x.extent_int(0), columns = x.extent_int(1);
  require_shape("convert", "y", y, rows, columns);
  const auto packs = packing(x, y);
  for_each_row(
      "vlmark::convert_rows", exec, rows, KOKKOS_LAMBDA(const Team& team, int t) {
        const From* in = row_of(x, t);
        To* out = row_of(y, t);
        for_each(team, columns, packs, [=](auto at) {
          const auto a = at.load(in);
          at.store(out, [&](int j) { return a[j]; });
        });
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
