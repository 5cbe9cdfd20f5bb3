#include "src/plan/shapes.hpp"

#include <limits>
#include <numeric>

#include "src/base/error.hpp"

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

std::string to_string(const MicroBatchShape& shape) {
  std::string text = "sequences";
  for (const int tokens : shape.sequences) text += " " + std::to_string(tokens);
  text += ", media";
  for (const Grid& grid : shape.media)
    text +=
        " " + std::to_string(grid.t) + "x" + std::to_string(grid.h) + "x" + std::to_string(grid.w);
  return text + ", " + std::to_string(shape.supervised) + " supervised";
}

std::vector<std::int64_t> lengths_of(const MicroBatchShape& shape) {
  std::vector<std::int64_t> lengths{static_cast<std::int64_t>(shape.sequences.size())};
  lengths.insert(lengths.end(), shape.sequences.begin(), shape.sequences.end());
  lengths.push_back(static_cast<std::int64_t>(shape.media.size()));
  for (const Grid& grid : shape.media) lengths.insert(lengths.end(), {grid.t, grid.h, grid.w});
  lengths.push_back(shape.supervised);
  return lengths;
}

std::uint64_t lengths_bytes(const MicroBatchShape& shape) {
  return sizeof(std::int64_t) * (1 + lengths_of(shape).size());
}

MicroBatchShape shape_of_lengths(std::span<const std::int64_t> lengths) {
  std::size_t next = 0;
  const auto take = [&](std::int64_t least) {
    if (next == lengths.size())
      throw ValueError("shape: " + std::to_string(lengths.size()) +
                       " numbers are too few for the sequences and media they announce. Send what "
                       "lengths_of gives");
    const std::int64_t value = lengths[next++];
    if (value < least || value > std::numeric_limits<int>::max())
      throw ValueError("shape: number " + std::to_string(next - 1) + " is " +
                       std::to_string(value) + " (expected at least " + std::to_string(least) +
                       "). Send what lengths_of gives");
    return static_cast<int>(value);
  };
  MicroBatchShape shape;
  for (int left = take(0); left > 0; --left) shape.sequences.push_back(take(1));
  for (int left = take(0); left > 0; --left) {
    const int t = take(1), h = take(1), w = take(1);
    shape.media.push_back({t, h, w});
  }
  shape.supervised = take(0);
  if (next != lengths.size())
    throw ValueError("shape: " + std::to_string(lengths.size()) + " numbers where a shape has " +
                     std::to_string(next) + ". Send what lengths_of gives");
  return shape;
}

std::vector<int> cumulative(const std::vector<int>& lengths) {
  std::vector<int> sums(lengths.size() + 1, 0);
  std::partial_sum(lengths.begin(), lengths.end(), sums.begin() + 1);
  return sums;
}

}  // namespace vlmark::plan
