#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

#include "kernels/device_traits.hpp"
#include "kernels/types.hpp"

// Several elements of a row at once, so that a device moves 128 bits with each load and store (no
// compiler widens scalar accesses whose alignment it cannot see). A host takes one element at a
// time and leaves the vectors to its compiler.

namespace vlmark::kernels {

/// One value for each element of a pack.
template <class T, int width>
struct Values {
  T of[width];
  KOKKOS_INLINE_FUNCTION T operator[](int j) const { return of[j]; }
};

/// 128 bits in four words.
struct alignas(16) FourWords {
  std::uint32_t of[4];
};
template <class T>
inline constexpr int kPerWord = 4 / static_cast<int>(sizeof(T));

/// Element `j` of a word. Shifts, because an array whose address is taken would not stay in
/// registers.
template <class T>
KOKKOS_INLINE_FUNCTION T from_word(std::uint32_t word, int j) {
  if constexpr (sizeof(T) == 4)
    return std::bit_cast<T>(word);
  else
    return std::bit_cast<T>(static_cast<std::uint16_t>(word >> (16 * j)));
}
template <class T>
KOKKOS_INLINE_FUNCTION std::uint32_t to_word(T x, int j) {
  if constexpr (sizeof(T) == 4)
    return std::bit_cast<std::uint32_t>(x);
  else
    return std::uint32_t{std::bit_cast<std::uint16_t>(x)} << (16 * j);
}

/// The elements [first, first + width) of a row: what the body of a loop is given. With width above
/// 1, `first` is a multiple of it and rows start at multiples of 16 bytes.
template <int width>
struct Pack {
  int first;

  /// f(j) for each j in [0, width).
  template <class F>
  KOKKOS_INLINE_FUNCTION auto map(const F& f) const {
    Values<std::decay_t<decltype(f(0))>, width> values;
#pragma unroll
    for (int j = 0; j < width; ++j) values.of[j] = f(j);
    return values;
  }

  /// The elements of `row`, bit for bit.
  template <class T>
  KOKKOS_INLINE_FUNCTION auto copy(const T* row) const {
    if constexpr (width == 1) {
      return Values<T, 1>{{row[first]}};
    } else {
      constexpr int of_words = 4 * kPerWord<T>;
      FourWords words[width / of_words];
#pragma unroll
      for (int w = 0; w < width / of_words; ++w)
        words[w] = reinterpret_cast<const FourWords*>(row + first)[w];
      return map([&](int j) {
        return from_word<T>(words[j / of_words].of[j / kPerWord<T> % 4], j % kPerWord<T>);
      });
    }
  }
  /// The elements of `row`, widened.
  template <class T>
  KOKKOS_INLINE_FUNCTION auto load(const T* row) const {
    const auto stored = copy(row);
    return map([&](int j) { return widen(stored[j]); });
  }

  /// row = values, bit for bit.
  template <class T>
  KOKKOS_INLINE_FUNCTION void assign(T* row, const Values<T, width>& values) const {
    if constexpr (width == 1) {
      if constexpr (std::is_same_v<T, bf16>)
        row[first].bits = values[0].bits;  // gcc 12 does not vectorise a copy of the struct
      else
        row[first] = values[0];
    } else {
      constexpr int of_words = 4 * kPerWord<T>;
#pragma unroll
      for (int w = 0; w < width / of_words; ++w) {
        FourWords words{};
#pragma unroll
        for (int j = 0; j < of_words; ++j)
          words.of[j / kPerWord<T>] |= to_word(values[w * of_words + j], j % kPerWord<T>);
        reinterpret_cast<FourWords*>(row + first)[w] = words;
      }
    }
  }
  /// row = f(j), rounded, for each element j.
  template <class T, class F>
  KOKKOS_INLINE_FUNCTION void store(T* row, const F& f) const {
    assign(row, map([&](int j) { return narrow<T>(f(j)); }));
  }
};

/// How the loops of one launch take their rows: in packs of `width` where every view of the launch
/// is aligned for it, else element by element. Results do not depend on it.
template <int width>
struct Packing {
  bool aligned;
  Packing only_if(bool condition) const { return {aligned && condition}; }
};

template <class T>
bool starts_on_packs(const Vec<T>& v) {
  return reinterpret_cast<std::uintptr_t>(v.data()) % 16 == 0;
}
template <class T>
bool starts_on_packs(const Mat<T>& m) {
  return reinterpret_cast<std::uintptr_t>(m.data()) % 16 == 0 &&
         (m.extent(0) < 2 || m.stride(0) * sizeof(T) % 16 == 0);
}

/// The packing for loops over rows of these views: `width` is what 128 bits of the narrowest type
/// hold.
template <class... View>
auto packing(const View&... views) {
  constexpr auto least = [] {
    std::size_t size = 16;
    ((size = sizeof(typename View::value_type) < size ? sizeof(typename View::value_type) : size),
     ...);
    return static_cast<int>(size);
  }();
  constexpr int width = kPackBytes == 0 ? 1 : kPackBytes / least;
  return Packing<width>{(starts_on_packs(views) && ...)};
}

/// First element of row `t`.
template <class T>
KOKKOS_INLINE_FUNCTION T* row_of(const Mat<T>& m, int t) {
  return m.data() + static_cast<std::size_t>(t) * m.stride(0);
}

}  // namespace vlmark::kernels
