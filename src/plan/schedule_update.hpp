#pragma once

#include <vector>

#include "src/plan/schedule_messages.hpp"

namespace vlmark::plan {

/// Writes what follows the gradients of one rank into its schedule: reduction, norm, optimizer and
/// gathers.
///
/// Collectives stand in the data lane in one order that does not depend on the number of
/// micro-batches, since replicas may differ in it: segments in the order in which their gradients
/// become ready. A bucket is reduced as soon as it is ready and there is memory for what arrives. No
/// pass that another stage waits for waits for a reduction, so stages reduce side by side: the later
/// ones under the last backward passes of the earlier ones. (Megatron Core delays the first
/// reduction by one pass for each stage to the same end.)
class UpdateWriter {
 public:
  UpdateWriter(const ScheduleShape& shape, Schedule& schedule);

  /// Gathers of the step before, in order of first need: the tied head, which goes on to the first
  /// rank, then segments as the forward meets them.
  void gather_first();
  /// Of all buckets, where the shape says so.
  void average();
  /// Before the tied embedding's copy is read: it has arrived.
  void need_embedding();
  /// Before its owner changes it: it has left.
  void finish_embedding();
  /// The last micro-batch's gradient of a segment has been joined. With overlap, its buckets are
  /// reduced here; they are joined after the next segment, when they have had a pass to travel.
  /// `awaited`: another stage waits for a later pass of this rank; then nothing is joined, and what
  /// finds no memory is reduced later.
  void segment_ready(int segment, bool awaited);
  /// All that is left.
  void write();

 private:
  void reduce(int bucket);
  void join_oldest();
  Action& of_bucket(ActionKind kind, Lane lane, int bucket, std::vector<BufferId> reads,
                    std::vector<BufferId> writes);
  void average(int bucket);
  void gather(int bucket);
  std::vector<int> buckets_of(int segment) const;
  std::vector<BufferId> tied_parameters() const;
  std::vector<BufferId> gradients_of(int bucket) const;

  const ScheduleShape& shape_;
  Schedule& schedule_;
  MessageWriter messages_;  // of the tied embedding
  bool owner_, copy_;
  int arriving_ = 0, leaving_ = 0;  // copies under way
  std::vector<int> ready_;          // buckets in order
  std::vector<int> reduced_;        // the first of them
  std::size_t joined_ = 0;
};

}  // namespace vlmark::plan
