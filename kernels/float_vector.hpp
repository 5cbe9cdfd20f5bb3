#pragma once

#include <Kokkos_Macros.hpp>
#include <cstdint>

#include "src/base/bf16.hpp"

// A vector register of floats. gcc gets its own vector types, because it does not turn nests of
// plain loops into register blocks by itself; a device compiler gets plain arrays.

namespace vlmark::kernels {

#if defined(__GNUC__) && !defined(__CUDACC__) && !defined(__HIPCC__)

#if defined(__AVX512F__)
inline constexpr int kVector = 16;
#elif defined(__AVX__)
inline constexpr int kVector = 8;
#else
inline constexpr int kVector = 4;
#endif

template <class T, int n>
struct VectorOf {
  // Aligned to an element only: rows of a strided matrix start anywhere.
  using type [[gnu::vector_size(n * sizeof(T)), gnu::aligned(sizeof(T)), gnu::may_alias]] = T;
};
template <int n>
using Floats = typename VectorOf<float, n>::type;
using FloatVector = Floats<kVector>;

template <int n = kVector>
inline Floats<n> load_vector(const float* p) {
  return *reinterpret_cast<const Floats<n>*>(p);
}
template <int n = kVector>
inline Floats<n> load_vector(const bf16* p) {
  using Words = typename VectorOf<std::uint32_t, n>::type;
  const auto halves = *reinterpret_cast<const typename VectorOf<std::uint16_t, n>::type*>(p);
  return reinterpret_cast<Floats<n>>(__builtin_convertvector(halves, Words) << 16);
}
inline void store_vector(float* p, FloatVector v) { *reinterpret_cast<FloatVector*>(p) = v; }
/// Lane by lane the larger, `a` where one of the two is NaN.
inline FloatVector larger(FloatVector a, FloatVector b) { return b > a ? b : a; }

#else

inline constexpr int kVector = 4;

struct FloatVector {
  float lane[kVector] = {};
  KOKKOS_INLINE_FUNCTION float operator[](int l) const { return lane[l]; }
  KOKKOS_INLINE_FUNCTION friend FloatVector operator+(FloatVector a, const FloatVector& b) {
    for (int l = 0; l < kVector; ++l) a.lane[l] += b.lane[l];
    return a;
  }
  KOKKOS_INLINE_FUNCTION friend FloatVector operator*(FloatVector a, const FloatVector& b) {
    for (int l = 0; l < kVector; ++l) a.lane[l] *= b.lane[l];
    return a;
  }
  KOKKOS_INLINE_FUNCTION friend FloatVector operator*(float s, FloatVector a) {
    for (int l = 0; l < kVector; ++l) a.lane[l] *= s;
    return a;
  }
};

template <class T>
KOKKOS_INLINE_FUNCTION FloatVector load_vector(const T* p) {
  FloatVector r;
  for (int l = 0; l < kVector; ++l) r.lane[l] = widen(p[l]);
  return r;
}
KOKKOS_INLINE_FUNCTION void store_vector(float* p, const FloatVector& v) {
  for (int l = 0; l < kVector; ++l) p[l] = v.lane[l];
}

KOKKOS_INLINE_FUNCTION FloatVector larger(FloatVector a, const FloatVector& b) {
  for (int l = 0; l < kVector; ++l) a.lane[l] = b.lane[l] > a.lane[l] ? b.lane[l] : a.lane[l];
  return a;
}

#endif

#if defined(__AVX__) && !defined(__CUDACC__) && !defined(__HIPCC__)
/// to[l * to_row + r] = from[r * from_row + l], r and l in [0, 8): three rounds of exchanges.
template <class T>
inline void transpose_8x8(const T* from, long from_row, float* to, int to_row) {
  using V = Floats<8>;
  using I = typename VectorOf<int, 8>::type;
  V a[8], b[8];
#pragma GCC unroll 8
  for (int r = 0; r < 8; ++r) a[r] = load_vector<8>(from + r * from_row);
#pragma GCC unroll 4
  for (int r = 0; r < 8; r += 2) {
    b[r] = __builtin_shuffle(a[r], a[r + 1], I{0, 8, 1, 9, 4, 12, 5, 13});
    b[r + 1] = __builtin_shuffle(a[r], a[r + 1], I{2, 10, 3, 11, 6, 14, 7, 15});
  }
#pragma GCC unroll 2
  for (int r = 0; r < 8; r += 4)
#pragma GCC unroll 2
    for (int s = 0; s < 2; ++s) {
      a[r + 2 * s] = __builtin_shuffle(b[r + s], b[r + s + 2], I{0, 1, 8, 9, 4, 5, 12, 13});
      a[r + 2 * s + 1] = __builtin_shuffle(b[r + s], b[r + s + 2], I{2, 3, 10, 11, 6, 7, 14, 15});
    }
#pragma GCC unroll 4
  for (int r = 0; r < 4; ++r) {
    *reinterpret_cast<V*>(to + r * to_row) =
        __builtin_shuffle(a[r], a[r + 4], I{0, 1, 2, 3, 8, 9, 10, 11});
    *reinterpret_cast<V*>(to + (r + 4) * to_row) =
        __builtin_shuffle(a[r], a[r + 4], I{4, 5, 6, 7, 12, 13, 14, 15});
  }
}
#else
/// to[l * to_row + r] = from[r * from_row + l], r and l in [0, 8).
template <class T>
KOKKOS_INLINE_FUNCTION void transpose_8x8(const T* from, long from_row, float* to, int to_row) {
  for (int r = 0; r < 8; ++r)
    for (int l = 0; l < 8; ++l) to[l * to_row + r] = widen(from[r * from_row + l]);
}
#endif

/// Sum of the lanes as a tree.
KOKKOS_INLINE_FUNCTION float sum_of_lanes(const FloatVector& v) {
  float lane[kVector];
  for (int l = 0; l < kVector; ++l) lane[l] = v[l];
  for (int width = kVector / 2; width > 0; width /= 2)
    for (int l = 0; l < width; ++l) lane[l] += lane[l + width];
  return lane[0];
}

/// The largest lane; a NaN in lane 0 stays, in others it is passed over.
KOKKOS_INLINE_FUNCTION float max_of_lanes(const FloatVector& v) {
  float largest = v[0];
  for (int l = 1; l < kVector; ++l) largest = v[l] > largest ? v[l] : largest;
  return largest;
}

}  // namespace vlmark::kernels
