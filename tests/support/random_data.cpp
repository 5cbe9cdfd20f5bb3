#include "tests/support/random_data.hpp"

#include "src/base/philox.hpp"

namespace vlmark::test {

std::vector<float> gaussian(std::size_t count, std::uint64_t seed, float scale) {
  const Philox random(seed, "test");
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = scale * random.normal(i);
  return values;
}

std::vector<int> integers(std::size_t count, std::uint64_t seed, int bound) {
  const Philox random(seed, "test integers");
  std::vector<int> values(count);
  for (std::size_t i = 0; i < count; ++i)
    values[i] = static_cast<int>(random.below(i, static_cast<std::uint64_t>(bound)));
  return values;
}

}  // namespace vlmark::test
