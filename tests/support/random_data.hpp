#pragma once

#include <cstdint>
#include <vector>

namespace vlmark::test {

/// `count` approximately normal deviates; the same seed gives the same numbers everywhere.
std::vector<float> gaussian(std::size_t count, std::uint64_t seed, float scale = 1.0f);

/// `count` integers in [0, bound).
std::vector<int> integers(std::size_t count, std::uint64_t seed, int bound);

}  // namespace vlmark::test
