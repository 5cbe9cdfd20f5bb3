#pragma once

#include <numeric>
#include <span>
#include <vector>

#include "kernels/types.hpp"

// Operands of the benchmarks, and samples of results on the host.

namespace vlmark::bench {

using kernels::Exec;
using kernels::Mat;
using kernels::Vec;

/// Numbers in [-1, 1) that depend on `seed` and the element's index alone.
template <class T>
Mat<T> uniform(long rows, long columns, unsigned seed);
template <class T>
Vec<T> uniform(long n, unsigned seed);

/// A host vector where kernels can read it.
Vec<int> to_kernels(const std::vector<int>& values);

/// 0, 1, ..., n - 1.
inline std::vector<int> all(long n) {
  std::vector<int> indices(static_cast<std::size_t>(n));
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}
/// At most `most` of 0 ... n - 1, rising: all, or the first, the last and others spread between.
std::vector<int> sample(long n, int most);

/// m(rows[i], columns[j]), row-major, once all kernels are done.
template <class T>
std::vector<double> block(const Mat<T>& m, const std::vector<int>& rows,
                          const std::vector<int>& columns);
template <class T>
std::vector<double> rows_of(const Mat<T>& m, const std::vector<int>& rows) {
  return block(m, rows, all(m.extent_int(1)));
}
template <class T>
std::vector<double> values(const Vec<T>& x, const std::vector<int>& indices);
template <class T>
std::vector<double> values(const Vec<T>& x) {
  return values(x, all(x.extent_int(0)));
}

/// x(0, 0) <- x + 1 + |x|: no kernel's rounding does that.
template <class T>
void spoil(const Mat<T>& x);
template <class T>
void spoil(const Vec<T>& x) {
  spoil(Mat<T>(x.data(), 1, x.extent(0)));
}

/// Sums in fp32 stay below 2^-14 of the largest element (some 1e-6 is usual, TF32 or bf16 in them
/// give 3e-4 and more: the limits of rules V2 and V3).
inline constexpr double kSums = 0x1p-14;
/// One rounding to bf16, 2^-9, with a factor of two to spare.
inline constexpr double kBf16 = 0x1p-8;

template <class T>
inline constexpr double kRounding = 0;
template <>
inline constexpr double kRounding<bf16> = kBf16;

/// Worst |actual - expected| / (relative |expected| + absolute); NaN where anything is NaN;
/// infinite where sizes differ.
double worst(std::span<const double> actual, std::span<const double> expected, double relative,
             double absolute);
double largest(std::span<const double> values);
/// Against sums in fp32 that are rounded to T once.
template <class T>
double error_of(std::span<const double> actual, std::span<const double> expected) {
  return worst(actual, expected, kRounding<T>, kSums * largest(expected));
}
/// Keeps a NaN.
inline double worse(double a, double b) { return a > b || a != a ? a : b; }

}  // namespace vlmark::bench
