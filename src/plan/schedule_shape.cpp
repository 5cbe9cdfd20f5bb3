#include "src/plan/schedule_shape.hpp"

#include <algorithm>
#include <numeric>
#include <string>

#include "src/plan/schedule_order.hpp"

namespace vlmark::plan {

int ScheduleShape::segment_count() const {
  return std::accumulate(segments.begin(), segments.end(), 0);
}
int ScheduleShape::bucket_count() const {
  return std::accumulate(buckets.begin(), buckets.end(), 0);
}
int ScheduleShape::first_segment(int chunk) const {
  return std::accumulate(segments.begin(), segments.begin() + chunk, 0);
}
int ScheduleShape::chunk_of(int segment) const {
  int chunk = 0;
  while (first_segment(chunk + 1) <= segment) ++chunk;
  return chunk;
}
int ScheduleShape::first_bucket(int segment) const {
  return std::accumulate(buckets.begin() + segment + 1, buckets.end(), 0);
}
int ScheduleShape::segment_of_bucket(int bucket) const {
  int segment = segment_count() - 1;
  while (first_bucket(segment) + buckets[static_cast<std::size_t>(segment)] <= bucket) --segment;
  return segment;
}

Slots slots(const ScheduleShape& shape, Message message) {
  const int p = shape.pipeline_rank, P = shape.pipeline;
  if (P == 1) return {};
  const bool first = p == 0, last = p == P - 1, ring = shape.chunks > 1;
  // On the way round the ring.
  const int waiting = ring ? largest_group(shape.group > 0 ? shape.group : P, P) - P : 0;
  switch (message) {
    case Message::activation:
      return {first && !ring ? 0 : shape.slots,
              last ? (ring ? shape.slots + waiting : 0) : shape.slots};
    case Message::gradient:
      return {last && !ring ? 0 : shape.slots,
              first ? (ring ? shape.slots + waiting : 0) : shape.slots};
    case Message::embedding_rows:
      if (!shape.shares_embedding()) return {};
      return {last ? shape.slots : 0, first ? shape.slots : 0};
    case Message::embedding_weights:
      return {};
  }
  return {};
}

}  // namespace vlmark::plan
