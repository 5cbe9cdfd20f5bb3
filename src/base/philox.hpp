#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace vlmark {

/// One block of the counter-based generator Philox4x32-10.
/// Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC11, section 4.3.
constexpr std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                                  std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53u} * counter[0];
    const std::uint64_t b = std::uint64_t{0xCD9E8D57u} * counter[2];
    counter = {
        static_cast<std::uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(b),
        static_cast<std::uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(a)};
    key = {key[0] + 0x9E3779B9u, key[1] + 0xBB67AE85u};
  }
  return counter;
}

/// 64-bit FNV-1a of a name: the stream of a logical tensor.
constexpr std::uint64_t hash_name(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

/// A stream of random numbers: element i depends on (seed, stream, i) alone, so that every rank,
/// device and compiler makes the same bits in any order.
class Philox {
 public:
  Philox(std::uint64_t seed, std::string_view stream) : seed_(seed), stream_(hash_name(stream)) {}

  /// 128 random bits of counter `index`.
  constexpr std::array<std::uint32_t, 4> block(std::uint64_t index) const {
    return philox4x32(
        {static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32),
         static_cast<std::uint32_t>(stream_), static_cast<std::uint32_t>(stream_ >> 32)},
        {static_cast<std::uint32_t>(seed_), static_cast<std::uint32_t>(seed_ >> 32)});
  }
  /// Uniform integer in [0, bound); bias below bound / 2^64.
  constexpr std::uint64_t below(std::uint64_t index, std::uint64_t bound) const {
    const auto b = block(index);
    const std::uint64_t word = std::uint64_t{b[1]} << 32 | b[0];
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(word) * bound) >> 64);
  }
  /// Approximately normal deviate of mean 0 and variance 1: the centred sum of eight 16-bit
  /// uniforms of one block, exact in integers, then one multiplication in float. Support
  /// +-4.9 sigma, excess kurtosis -0.15.
  constexpr float normal(std::uint64_t index) const {
    std::int32_t sum = 0;
    for (const std::uint32_t word : block(index))
      sum += static_cast<std::int32_t>(word & 0xffffu) + static_cast<std::int32_t>(word >> 16);
    // Mean 8 * 65535 / 2 = 262140; variance 8 * (65536^2 - 1) / 12.
    return static_cast<float>(sum - 262140) * kScale;
  }

 private:
  static constexpr float kScale = 1.8688124e-05f;  // 1 / sqrt(8 * (65536^2 - 1) / 12)
  std::uint64_t seed_, stream_;
};

}  // namespace vlmark
