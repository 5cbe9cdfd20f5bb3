#include "src/plan/shapes.hpp"

#include <numeric>

namespace vlmark::plan {

long MicroBatchShape::tokens() const {
  return std::accumulate(sequences.begin(), sequences.end(), 0L);
}

long MicroBatchShape::patches() const {
  long sum = 0;
  for (const Grid& grid : media) sum += grid.patches();
  return sum;
}

std::vector<int> MicroBatchShape::vit_segments() const {
  std::vector<int> segments;
  for (const Grid& grid : media)
    segments.insert(segments.end(), static_cast<std::size_t>(grid.t), grid.h * grid.w);
  return segments;
}

std::vector<int> cumulative(const std::vector<int>& lengths) {
  std::vector<int> sums(lengths.size() + 1, 0);
  std::partial_sum(lengths.begin(), lengths.end(), sums.begin() + 1);
  return sums;
}

}  // namespace vlmark::plan
