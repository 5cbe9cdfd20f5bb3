#pragma once

#include <bit>
#include <cstdint>
#include <span>

#include "src/base/bf16.hpp"

namespace vlmark::engine {

/// Finaliser of SplitMix64 (Steele et al., OOPSLA 2014): a bijection that mixes all bits.
constexpr std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

/// Order-independent 64-bit hash: the sum over elements of mix(position, bits), so that slices can
/// be hashed where they lie and added over ranks. `first` is the position of element 0.
template <class T>
std::uint64_t fingerprint(std::span<const T> values, long first) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::uint64_t bits;
    if constexpr (sizeof(T) == 2)
      bits = values[i].bits;
    else
      bits = std::bit_cast<std::uint32_t>(values[i]);
    sum += mix(mix(static_cast<std::uint64_t>(first) + i) ^ bits);
  }
  return sum;
}
template <class T>
std::uint64_t fingerprint(std::span<T> values, long first) {
  return fingerprint(std::span<const T>(values), first);
}

}  // namespace vlmark::engine
