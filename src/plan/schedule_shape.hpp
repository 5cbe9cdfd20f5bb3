#pragma once

#include <vector>

#include "src/plan/schedule.hpp"

namespace vlmark::plan {

/// What runs beside the compute lane. No switch changes a bit of the result.
struct Overlap {
  bool reduce = false;          ///< gradients are reduced under the backward of earlier segments
  bool gather = false;          ///< parameters are gathered under the forward of the next step
  bool early_messages = false;  ///< receives are posted one use ahead

  bool operator==(const Overlap&) const = default;
};

/// What decides the schedule of one rank. Local chunk c of pipeline rank p is chunk
/// c * pipeline + p of the model; segments are counted over all chunks of the rank in forward order.
/// Buckets lie in segments and are numbered in the order in which gradients become ready: those of
/// the last segment come first.
struct ScheduleShape {
  int pipeline = 1, pipeline_rank = 0, chunks = 1;
  int group = 0;           ///< see Layout::group
  int begin = 0, end = 0;  ///< micro-batches of this replica, as numbered over the whole step
  std::vector<int> segments = {1};  ///< [chunk]
  std::vector<int> buckets = {1};   ///< [segment], each may be 0
  /// The head is the embedding matrix. With one pipeline rank its gradient belongs to
  /// `embedding_segment`; with more to the last segment of the last rank, which owns the matrix.
  bool tied = false;
  int embedding_segment = 0;  ///< the one that looks up tokens; on the first rank
  int slots = 2;              ///< of each kind of message, see slots()
  int received = 1;           ///< buckets whose subtrees of other ranks can wait to be joined
  int tensor_ranks = 1;
  bool average = false;  ///< the step ends with the mean of what tensor ranks replicate
  Overlap overlap;
  bool broadcast_shapes = false;  ///< later ranks learn the shapes of micro-batches from the first

  int micro_batches() const { return end - begin; }
  int segment_count() const;
  int bucket_count() const;
  int first_segment(int chunk) const;
  int chunk_of(int segment) const;
  /// First bucket of a segment; the others follow.
  int first_bucket(int segment) const;
  int segment_of_bucket(int bucket) const;
  bool first_rank() const { return pipeline_rank == 0; }
  bool last_rank() const { return pipeline_rank == pipeline - 1; }
  bool broadcasts_shapes() const { return broadcast_shapes && pipeline > 1; }
  /// Whether this rank is told the shapes of its micro-batches.
  bool learns_shapes() const { return broadcast_shapes && !first_rank(); }
  /// Whether embedding and head lie on two ranks that must agree.
  bool shares_embedding() const { return tied && pipeline > 1; }
  bool operator==(const ScheduleShape&) const = default;
};

/// Slots of one kind of message on one rank.
struct Slots {
  int receive = 0, send = 0;
};
/// None where the rank neither sends nor receives the kind. Where chunks come round from the last
/// rank to the first (and gradients back), a group of more micro-batches than `pipeline` leaves
/// outputs waiting for their use: those senders have as many further slots as the largest_group has
/// more, or the ring would block. The same for every number of micro-batches.
Slots slots(const ScheduleShape& shape, Message message);

/// The actions of one step: 1F1B (Narayanan et al., arXiv:1806.03377 with flush) or, with several
/// chunks, interleaved 1F1B (Narayanan et al., arXiv:2104.04473, section 2.2; group size as in
/// Megatron Core), then norm and optimizer. Works for every number of micro-batches, also none.
/// Lengths are broadcast before all else, in the order of the micro-batches: no message stands before
/// them in any pipeline lane, so they cannot wait for one.
/// Throws ValueError for a shape that is no schedule.
Schedule training_schedule(const ScheduleShape& shape);

/// The gathers alone, behind the averages where the shape has them: makes parameters whole and equal
/// for whoever reads them between steps.
Schedule gather_schedule(const ScheduleShape& shape);

}  // namespace vlmark::plan
