#pragma once

#include <vector>

#include "src/base/philox.hpp"
#include "src/plan/check.hpp"

namespace vlmark::test {

/// Numbers of one seed.
class Draws {
 public:
  Draws(std::uint64_t seed, const char* stream) : random_(seed, stream) {}
  int below(int bound) {
    return static_cast<int>(random_.below(draws_++, static_cast<std::uint64_t>(bound)));
  }
  int from(int first, int last) { return first + below(last - first + 1); }
  bool coin() { return below(2) == 1; }
  template <class T>
  T one_of(const std::vector<T>& values) {
    return values[static_cast<std::size_t>(below(static_cast<int>(values.size())))];
  }

 private:
  Philox random_;
  std::uint64_t draws_ = 0;
};

struct RandomLayout {
  plan::Layout layout;
  int micro_batches;  ///< over all replicas
  std::vector<plan::ScheduleShape> stages;
};

/// Any pipeline up to 16 stages and 4 chunks, any number of micro-batches (also fewer than stages,
/// and numbers that Megatron's rule forbids), any switches, uneven segments and buckets.
inline RandomLayout random_layout(Draws& draw, int most_ranks) {
  RandomLayout random;
  plan::Layout& layout = random.layout;
  layout.pipeline = draw.one_of<int>({1, 2, 2, 3, 4, 4, 5, 7, 8, 16});
  layout.chunks = layout.pipeline == 1 ? 1 : draw.from(1, 4);
  if (layout.chunks > 1 && draw.coin())
    layout.group = layout.pipeline + draw.below(2 * layout.pipeline + 2);
  layout.tensor = draw.one_of<int>({1, 1, 2, 4, 8});
  layout.data = draw.from(1, std::max(1, std::min(most_ranks / layout.pipeline / layout.tensor,
                                                  draw.coin() ? 4 : 1024)));
  random.micro_batches = layout.data * draw.below(draw.coin() ? 4 : 3 * layout.pipeline + 2) +
                         draw.below(layout.data + 1);
  plan::ScheduleShape common;
  common.pipeline = layout.pipeline;
  common.chunks = layout.chunks;
  common.group = layout.group;
  common.tied = draw.coin();
  common.slots = draw.from(2, 3);
  common.received = draw.from(1, 4);
  common.tensor_ranks = layout.tensor;
  common.overlap = {draw.coin(), draw.coin(), draw.coin()};
  common.average = layout.tensor > 1 && draw.coin();
  common.broadcast_shapes = draw.coin();
  for (int p = 0; p < layout.pipeline; ++p) {
    plan::ScheduleShape shape = common;
    shape.pipeline_rank = p;
    shape.segments.clear();
    shape.buckets.clear();
    for (int c = 0; c < layout.chunks; ++c) {
      shape.segments.push_back(draw.from(1, 3));
      for (int s = 0; s < shape.segments.back(); ++s) shape.buckets.push_back(draw.from(0, 3));
    }
    shape.embedding_segment = draw.below(shape.segments[0]);
    random.stages.push_back(shape);
  }
  return random;
}

}  // namespace vlmark::test
