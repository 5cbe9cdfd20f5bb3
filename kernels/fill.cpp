#include "kernels/fill.hpp"

#include <cmath>

#include "kernels/team.hpp"

namespace vlmark::kernels {
namespace {

template <class T>
void fill_normal_impl(const Exec& exec, const Philox& stream, float scale, Vec<T> x,
                      std::uint64_t first_index) {
  if (!std::isfinite(scale))
    throw ValueError("fill_normal: argument 'scale' is " + std::to_string(scale) +
                     " (expected a finite number: it is the standard deviation of the weights). "
                     "Take initializer_range from the model's configuration");
  for_each_element(
      "vlmark::fill_normal", exec, x.extent(0),
      KOKKOS_LAMBDA(std::size_t i) { x(i) = narrow<T>(scale * stream.normal(first_index + i)); });
}

template <class T>
void fill_impl(const Exec& exec, float value, Vec<T> x) {
  const T stored = narrow<T>(value);
  const auto packs = packing(x);
  for_each_chunk(
      "vlmark::fill", exec, x.extent(0),
      KOKKOS_LAMBDA(const Team& team, std::size_t begin, int count) {
        T* to = x.data() + begin;
        for_each(team, count, packs,
                 [=](auto at) { at.assign(to, at.map([&](int) { return stored; })); });
      });
}

template <class T>
void fill_impl(const Exec& exec, float value, Mat<T> x) {
  const T stored = narrow<T>(value);
  const int columns = x.extent_int(1);
  const auto packs = packing(x);
  for_each_row(
      "vlmark::fill_rows", exec, x.extent_int(0), KOKKOS_LAMBDA(const Team& team, int t) {
        T* to = row_of(x, t);
        for_each(team, columns, packs,
                 [=](auto at) { at.assign(to, at.map([&](int) { return stored; })); });
      });
}

}  // namespace

void fill_normal(const Exec& exec, const Philox& stream, float scale, Vec<float> x,
                 std::uint64_t first_index) {
  fill_normal_impl<float>(exec, stream, scale, x, first_index);
}
void fill_normal(const Exec& exec, const Philox& stream, float scale, Vec<bf16> x,
                 std::uint64_t first_index) {
  fill_normal_impl<bf16>(exec, stream, scale, x, first_index);
}

void fill(const Exec& exec, float value, Vec<float> x) { fill_impl<float>(exec, value, x); }
void fill(const Exec& exec, float value, Vec<bf16> x) { fill_impl<bf16>(exec, value, x); }
void fill(const Exec& exec, float value, Mat<float> x) { fill_impl<float>(exec, value, x); }
void fill(const Exec& exec, float value, Mat<bf16> x) { fill_impl<bf16>(exec, value, x); }

}  // namespace vlmark::kernels
