#include "src/plan/shard.hpp"

#include <string>

#include "src/base/error.hpp"

namespace vlmark::plan {
namespace {

bool divides_heads(const ModelConfig& m, int ranks) {
  return m.heads % ranks == 0 && m.vision.heads % ranks == 0 &&
         (m.kv_heads % ranks == 0 || ranks % m.kv_heads == 0);
}

}  // namespace

int Shard::segments() const {
  int count = 0;
  for (const auto& chunk : chunks) count += static_cast<int>(chunk.size());
  return count;
}

int Shard::segment_of(int unit) const {
  int segment = 0;
  for (const auto& chunk : chunks)
    for (const UnitRange& units : chunk) {
      if (units.contains(unit)) return segment;
      ++segment;
    }
  return -1;
}

void require_tensor_ranks(const ModelConfig& m, int ranks) {
  if (ranks >= 1 && divides_heads(m, ranks)) return;
  std::string possible = "1";
  for (int r = 2; r <= m.heads && r <= m.vision.heads; ++r)
    if (divides_heads(m, r)) possible += ", " + std::to_string(r);
  throw ConfigError("tensor parallelism: " + std::to_string(ranks) + " ranks for " +
                    std::to_string(m.heads) + " heads, " + std::to_string(m.kv_heads) +
                    " key/value heads and " + std::to_string(m.vision.heads) +
                    " heads of the ViT (whole heads lie on a rank). Use one of " + possible);
}

}  // namespace vlmark::plan
