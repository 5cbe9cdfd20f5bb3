#pragma once

#include <vector>

#include "src/plan/schedule_shape.hpp"

namespace vlmark::plan {

/// One forward or backward of a whole chunk for a micro-batch.
struct ChunkPass {
  bool backward = false;
  int micro_batch = 0;  ///< counted from 0 within the replica
  int chunk = 0;        ///< local

  bool operator==(const ChunkPass&) const = default;
};

/// Sizes of the groups that micro-batches are dealt in: each group goes through a chunk before the
/// next chunk begins. Megatron's rule (groups of n, the rest 0 or >= pipeline) where it holds. For
/// other numbers of micro-batches a short last group would wait for itself on the way round the
/// ring, up to a deadlock: they are dealt evenly, in groups of at least `pipeline` where there are
/// that many.
std::vector<int> group_sizes(int micro_batches, int group, int pipeline);
/// The largest size for any number of micro-batches: max(group, 2 pipeline - 1).
int largest_group(int group, int pipeline);

/// The passes of one pipeline rank: forwards of the warm-up, then one forward and one backward in
/// turn, then the backwards left over. With P ranks, V chunks and groups of n, rank p warms up with
///
///     P - p - 1                         (V = 1),
///     2 (P - p - 1) + (V - 1) n         (V > 1)
///
/// forwards, or all there are. One group goes through chunk 0, 1, ... and back through V-1, V-2,
/// ... before the next begins; the order of forwards is the same on all ranks, and so is that of
/// backwards, which is why messages between neighbours arrive in order.
std::vector<ChunkPass> pass_order(const ScheduleShape& shape);

/// Passes of the backward order by which the last rank lets the embedding's gradient lag behind its
/// own backward of the same place: with a forward of 1 and a backward of 2 the rows arrive
///
///     2 (P - 1)    (V = 1),        3 P - 5    (V > 1, where forwards wait for the ring)
///
/// units after the last rank's backward, and it takes up one pass in 3. Rounded up with at least one
/// unit to spare, so that waiting for them costs nothing.
int embedding_lag(const ScheduleShape& shape);

/// Gradients of the last segment that have begun and are not joined yet, at most, in steps of up to
/// shape.micro_batches(), on the rank that holds the head; 0 on others. The fused loss begins them
/// in the forward. 1: each is joined before the next begins; more where a tied embedding waits for
/// its rows or a short last group of an interleaved schedule goes forward early.
int lagging_gradients(const ScheduleShape& shape);

}  // namespace vlmark::plan
