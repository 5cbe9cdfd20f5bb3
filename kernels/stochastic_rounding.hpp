#pragma once

#include <bit>
#include <cstdint>
#include <limits>

#include "kernels/types.hpp"
#include "src/base/philox.hpp"

namespace vlmark::kernels {

/// The random bits that round the elements of a vector, a contiguous piece of the part of a matrix
/// that a rank holds. Those of an element depend on `random`, `step` and its place in the whole
/// matrix alone, so no way to cut the matrix changes them:
///
///     place(i) = origin + floor((column + i) / width) * stride + (column + i) mod width
struct RoundingBits {
  Philox random;
  std::uint64_t step = 0;    ///< below 2^24
  std::uint64_t origin = 0;  ///< place of the first column held, in the row of element 0
  std::uint64_t column = 0;  ///< of element 0, counted from the first one held
  std::uint64_t width = std::numeric_limits<std::uint64_t>::max();  ///< columns held
  std::uint64_t stride = 0;                                         ///< columns of the matrix

  static constexpr int element_bits = 40;

  /// Calls run(first, length, counter of element `first`) for the pieces of [begin, begin + count)
  /// that stand in one row; counters of neighbours follow each other.
  template <class Run>
  KOKKOS_INLINE_FUNCTION void for_each_row(std::uint64_t begin, int count, const Run& run) const {
    for (int done = 0; done < count;) {
      const std::uint64_t at = column + begin + static_cast<std::uint64_t>(done), row = at / width,
                          left = width - at % width;
      const int rest = count - done,
                length = left < static_cast<std::uint64_t>(rest) ? static_cast<int>(left) : rest;
      run(done, length, (step << element_bits) + origin + row * stride + at % width);
      done += length;
    }
  }
};

/// x rounded to one of its two neighbours in bf16, away from zero with a probability of its
/// distance from the other one: the expected value is x. `random`: uniform in [0, 2^16). What bf16
/// holds stays; NaN stays a quiet NaN.
KOKKOS_INLINE_FUNCTION bf16 round_stochastic(float x, std::uint32_t random) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const bool is_nan = (bits & 0x7fffffffu) > 0x7f800000u;
  return {static_cast<std::uint16_t>((is_nan ? bits | 0x00400000u : bits + random) >> 16)};
}

}  // namespace vlmark::kernels
