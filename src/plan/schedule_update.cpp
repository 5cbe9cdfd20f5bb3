#include "src/plan/schedule_update.hpp"

#include <algorithm>

namespace vlmark::plan {
namespace {

using Kind = BufferId::Kind;
using Ids = std::vector<BufferId>;

}  // namespace

UpdateWriter::UpdateWriter(const ScheduleShape& shape, Schedule& schedule)
    : shape_(shape),
      schedule_(schedule),
      messages_(shape, schedule),
      owner_(shape.shares_embedding() && shape.last_rank()),
      copy_(shape.shares_embedding() && shape.first_rank()) {}

std::vector<int> UpdateWriter::buckets_of(int segment) const {
  std::vector<int> buckets;
  for (int b = 0; b < shape_.buckets[static_cast<std::size_t>(segment)]; ++b)
    buckets.push_back(shape_.first_bucket(segment) + b);
  return buckets;
}

Ids UpdateWriter::tied_parameters() const {
  Ids ids;
  for (const int b : buckets_of(shape_.segment_count() - 1)) ids.push_back({Kind::parameters, b});
  return ids;
}

Ids UpdateWriter::gradients_of(int bucket) const {
  const int segment = shape_.segment_of_bucket(bucket);
  Ids ids;
  for (int m = shape_.begin; m < shape_.end; ++m) ids.push_back({Kind::gradient, m, segment});
  return ids;
}

Action& UpdateWriter::of_bucket(ActionKind kind, Lane lane, int bucket, Ids reads, Ids writes) {
  schedule_.push_back({kind, lane, -1, -1, bucket, -1, std::move(reads), std::move(writes)});
  return schedule_.back();
}

void UpdateWriter::average(int bucket) {
  const BufferId parameters{Kind::parameters, bucket};
  if (shape_.average)
    of_bucket(ActionKind::average_replicated, Lane::tensor, bucket, {parameters}, {parameters});
}

void UpdateWriter::average() {
  for (int b = 0; b < shape_.bucket_count(); ++b) average(b);
}

void UpdateWriter::gather(int bucket) {
  const BufferId parameters{Kind::parameters, bucket};
  of_bucket(ActionKind::gather_bucket, Lane::data, bucket, {parameters}, {parameters});
}

void UpdateWriter::gather_first() {
  if (copy_) {
    messages_.post_weights();
    ++arriving_;
  }
  const int last = shape_.segment_count() - 1;
  if (owner_) {
    for (const int b : buckets_of(last)) gather(b);
    messages_.send_weights(tied_parameters());
    ++leaving_;
  }
  for (int s = 0; s <= last - (owner_ ? 1 : 0); ++s)
    for (const int b : buckets_of(s)) gather(b);
}

void UpdateWriter::need_embedding() {
  for (; arriving_ > 0; --arriving_) messages_.receive_weights();
}

void UpdateWriter::finish_embedding() {
  for (; leaving_ > 0; --leaving_) messages_.finish_weights(tied_parameters());
}

void UpdateWriter::reduce(int bucket) {
  while (static_cast<int>(reduced_.size() - joined_) >= shape_.received) join_oldest();
  const int place = static_cast<int>(reduced_.size()) % shape_.received;
  Ids reads = gradients_of(bucket);
  if (!shape_.overlap.reduce && shape_.micro_batches() > 0)  // not before the last backward
    for (int s = 0; s < shape_.segment_count(); ++s)
      if (s != shape_.segment_of_bucket(bucket))
        reads.push_back({Kind::gradient, shape_.end - 1, s});
  of_bucket(ActionKind::reduce_bucket, Lane::data, bucket, std::move(reads),
            {{Kind::received, place}, {Kind::gradient_slice, bucket}})
      .slot = place;
  reduced_.push_back(bucket);
}

void UpdateWriter::join_oldest() {
  const int bucket = reduced_[joined_], place = static_cast<int>(joined_) % shape_.received;
  ++joined_;
  const BufferId slice{Kind::gradient_slice, bucket};
  Ids reads = gradients_of(bucket);
  reads.push_back({Kind::received, place});
  reads.push_back(slice);
  of_bucket(ActionKind::join_bucket, Lane::compute, bucket, std::move(reads), {slice}).slot = place;
  if (shape_.tensor_ranks > 1)
    of_bucket(ActionKind::sum_replicated, Lane::tensor, bucket, {slice}, {slice});
}

void UpdateWriter::segment_ready(int segment, bool awaited) {
  if (!shape_.overlap.reduce) return;
  for (const int b : buckets_of(segment)) ready_.push_back(b);
  while (!awaited && joined_ < reduced_.size()) join_oldest();
  const auto full = [this] {
    return static_cast<int>(reduced_.size() - joined_) >= shape_.received;
  };
  while (reduced_.size() < ready_.size() && !(awaited && full())) reduce(ready_[reduced_.size()]);
}

void UpdateWriter::write() {
  need_embedding();
  const int segments = shape_.segment_count();
  if (shape_.overlap.reduce && shape_.micro_batches() == 0) {
    for (int s = segments - (owner_ ? 2 : 1); s >= 0; --s) segment_ready(s, false);
    if (owner_) segment_ready(segments - 1, false);
  }
  const int buckets = shape_.bucket_count();
  if (!shape_.overlap.reduce)
    for (int b = 0; b < buckets; ++b) {
      reduce(b);
      join_oldest();
    }
  while (joined_ < reduced_.size()) join_oldest();

  Ids slices;
  for (int b = 0; b < buckets; ++b) slices.push_back({Kind::gradient_slice, b});
  of_bucket(ActionKind::square_sums, Lane::compute, -1, slices, {{Kind::square_sums}});
  of_bucket(ActionKind::global_norm, Lane::data, -1, {{Kind::square_sums}}, {{Kind::norm}});

  finish_embedding();
  for (int b = 0; b < buckets; ++b) {
    of_bucket(ActionKind::optimizer_slice, Lane::compute, b,
              {{Kind::gradient_slice, b}, {Kind::norm}}, {{Kind::parameters, b}});
    average(b);
    if (!shape_.overlap.gather) gather(b);
  }
  if (shape_.overlap.gather) return;
  if (copy_) {
    messages_.post_weights();
    messages_.receive_weights();
  }
  if (owner_) {
    messages_.send_weights(tied_parameters());
    messages_.finish_weights(tied_parameters());
  }
}

}  // namespace vlmark::plan
