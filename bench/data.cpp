#include "bench/data.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace vlmark::bench {
namespace {

/// A 32-bit integer hash (Steele, Lea & Flood, OOPSLA 2014: a mix of multiplications and shifts).
KOKKOS_INLINE_FUNCTION float number(std::uint64_t i, unsigned seed) {
  std::uint64_t z = (i + 1) * 0x9e3779b97f4a7c15ull + seed * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z ^= z >> 27;
  return static_cast<float>(static_cast<std::int32_t>(z)) * 0x1p-31f;
}

template <class T>
void fill(const Vec<T>& x, unsigned seed) {
  Kokkos::parallel_for(
      "bench::uniform",
      Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::int64_t>>(
          0, static_cast<std::int64_t>(x.extent(0))),
      KOKKOS_LAMBDA(std::int64_t i) {
        x(i) = narrow<T>(number(static_cast<std::uint64_t>(i), seed));
      });
}

template <class V>
std::vector<double> on_host(const V& view) {
  Exec{}.fence("bench::on_host");
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, view);
  return {host.data(), host.data() + host.size()};
}

}  // namespace

template <class T>
Mat<T> uniform(long rows, long columns, unsigned seed) {
  const Mat<T> m(Kokkos::view_alloc("bench::matrix", Kokkos::WithoutInitializing), rows, columns);
  fill(Vec<T>(m.data(), m.size()), seed);
  return m;
}

template <class T>
Vec<T> uniform(long n, unsigned seed) {
  const Vec<T> x(Kokkos::view_alloc("bench::vector", Kokkos::WithoutInitializing), n);
  fill(x, seed);
  return x;
}

Vec<int> to_kernels(const std::vector<int>& values) {
  const Vec<int> view("bench::indices", values.size());
  const auto host = Kokkos::create_mirror_view(view);
  std::copy(values.begin(), values.end(), host.data());
  Kokkos::deep_copy(view, host);
  return view;
}

std::vector<int> sample(long n, int most) {
  if (n <= most) return all(n);
  std::vector<int> indices;
  for (long i = 0; i < most; ++i) {
    // A shift that differs, or only rows at one place of a tile would be seen.
    const long step = (n - 1) / (most - 1), shift = i == 0 ? 0 : (i * 7) % std::max(step / 2, 1L);
    indices.push_back(static_cast<int>(i == most - 1 ? n - 1 : i * step + shift));
  }
  return indices;
}

template <class T>
std::vector<double> block(const Mat<T>& m, const std::vector<int>& rows,
                          const std::vector<int>& columns) {
  const Mat<double> taken("bench::block", rows.size(), columns.size());
  const Vec<int> r = to_kernels(rows), c = to_kernels(columns);
  const long width = static_cast<long>(columns.size());
  Kokkos::parallel_for(
      "bench::block", Kokkos::RangePolicy<Exec>(0, static_cast<long>(taken.size())),
      KOKKOS_LAMBDA(long i) {
        const long row = i / width, column = i % width;
        taken(row, column) = widen(m(r(row), c(column)));
      });
  return on_host(taken);
}

template <class T>
std::vector<double> values(const Vec<T>& x, const std::vector<int>& indices) {
  return block(Mat<T>(x.data(), 1, x.extent(0)), {0}, indices);
}

template <class T>
void spoil(const Mat<T>& x) {
  Kokkos::parallel_for(
      "bench::spoil", Kokkos::RangePolicy<Exec>(0, 1), KOKKOS_LAMBDA(int) {
        const float value = widen(x(0, 0));
        x(0, 0) = narrow<T>(value + 1 + Kokkos::fabs(value));
      });
}

double largest(std::span<const double> values) {
  double most = 0;
  for (const double value : values) most = std::max(most, std::abs(value));
  return most;
}

double worst(std::span<const double> actual, std::span<const double> expected, double relative,
             double absolute) {
  if (actual.size() != expected.size()) return std::numeric_limits<double>::infinity();
  double ratio = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const double error = std::abs(actual[i] - expected[i]);
    if (error == 0) continue;
    ratio = worse(error / (relative * std::abs(expected[i]) + absolute), ratio);
    if (std::isnan(ratio)) break;
  }
  return ratio;
}

template Mat<float> uniform<float>(long, long, unsigned);
template Vec<float> uniform<float>(long, unsigned);
template std::vector<double> block(const Mat<float>&, const std::vector<int>&,
                                   const std::vector<int>&);
template std::vector<double> values(const Vec<float>&, const std::vector<int>&);
template void spoil(const Mat<float>&);
template Mat<bf16> uniform<bf16>(long, long, unsigned);
template Vec<bf16> uniform<bf16>(long, unsigned);
template std::vector<double> block(const Mat<bf16>&, const std::vector<int>&,
                                   const std::vector<int>&);
template std::vector<double> values(const Vec<bf16>&, const std::vector<int>&);
template void spoil(const Mat<bf16>&);

}  // namespace vlmark::bench
