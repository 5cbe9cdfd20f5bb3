#pragma once

#include <bit>
#include <cstdint>

namespace vlmark {

/// bfloat16 as a 16-bit storage type: the upper half of an IEEE binary32. Arithmetic happens in
/// float; the only operations are the two conversions. (Kokkos' `bhalf_t` is `float` on a host.)
struct bf16 {
  std::uint16_t bits = 0;
};
static_assert(sizeof(bf16) == 2);

/// Exact.
constexpr float widen(bf16 x) { return std::bit_cast<float>(std::uint32_t{x.bits} << 16); }
constexpr float widen(float x) { return x; }

/// Rounds to nearest, ties to even; overflow gives infinity; NaN stays a quiet NaN of equal sign.
constexpr bf16 to_bf16(float x) {
  const auto u = std::bit_cast<std::uint32_t>(x);
  // Branch-free so that loops of conversions vectorise.
  const std::uint32_t rounded = u + 0x7fffu + ((u >> 16) & 1u);
  const std::uint32_t quiet_nan = u | 0x00400000u;
  const bool is_nan = (u & 0x7fffffffu) > 0x7f800000u;
  return {static_cast<std::uint16_t>((is_nan ? quiet_nan : rounded) >> 16)};
}

/// Rounds a float to the storage type T (float: unchanged).
template <class T>
constexpr T narrow(float x);
template <>
constexpr float narrow<float>(float x) {
  return x;
}
template <>
constexpr bf16 narrow<bf16>(float x) {
  return to_bf16(x);
}

}  // namespace vlmark
