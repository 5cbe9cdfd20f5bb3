#pragma once

#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "parallel/communicator.hpp"
#include "src/base/summation_tree.hpp"
#include "src/engine/arena_memory.hpp"
#include "src/engine/gradient_sum.hpp"
#include "src/plan/flat_layout.hpp"
#include "src/plan/forming_gradients.hpp"
#include "src/plan/schedule_buffers.hpp"
#include "src/plan/state_layout.hpp"

namespace vlmark::engine {

/// Sums micro-batch gradients over a rank's own micro-batches and then over the data-parallel ranks,
/// bucket by bucket, so that every rank ends with the slice it owns. Segments of the model go
/// through this at their own pace, each in the order of micro-batches.
///
/// Deterministic: each micro-batch's gradient is formed alone and joined along the fixed binary
/// tree over the global micro-batch index, inside a rank and between ranks; the bits of the sum do
/// not depend on the number of ranks. Fast: one buffer is added into in place and the transport's
/// reduce-scatter adds in its own order.
///
/// S: type of the sums. bf16: passes form a segment's gradient in fp32 (`forming`), its join rounds
/// it to the nearest, and every addition of two rounds stochastically; in the fast mode micro-batches
/// are added in order, in fp32, and ranks along a tree over the ranks, since no transport adds bf16.
template <class S>
class GradientReducer {
 public:
  /// `most`: micro-batches of the largest step, which the buffers are planned for.
  /// `comm` carries kernel memory between data-parallel ranks; `forming` is unused in fp32.
  GradientReducer(const kernels::Exec& exec, const plan::FlatLayout& layout,
                  const plan::StateLayout& state, const ArenaMemory& memory,
                  parallel::Communicator& comm, int most, bool deterministic, GradientSum<S> sum,
                  plan::FormingGradients forming);

  /// A new step of `micro_batches` over all ranks. Ranks share the largest step; a smaller one
  /// leaves out its end, so that no rank holds or receives more subtrees than planned. Throws
  /// ValueError for a larger one. `schedule`, of `shape`, is what this rank will do in it.
  void begin_step(int micro_batches, const plan::Schedule& schedule,
                  const plan::ScheduleShape& shape);

  /// Steps begun, which random rounding depends on.
  std::uint64_t steps() const { return sum_.steps(); }
  void set_steps(std::uint64_t steps) { sum_.set_steps(steps); }

  /// What micro-batch `m` adds its gradient of `segment` into, from the first element of
  /// layout.segment(segment) on; zero when asked for the first time.
  float* gradient(int m, int segment);
  /// Joins the finished gradient of `m` with earlier ones.
  void join(int m, int segment);
  /// BEFORE: every rank holds its joined gradients of bucket `b`.
  /// AFTER:  every rank holds the sum over all micro-batches in its slice of bucket `b`.
  /// In two parts: the messages, without kernels, and then the kernels. `place`, of
  /// plan::received_places, holds what has arrived in between.
  void exchange(int b, int place);
  void join_bucket(int b, int place);
  /// The reduced gradient: valid on the owned slices.
  S* reduced() const { return buffers_[0]; }

 private:
  static constexpr bool rounds = !std::is_same_v<S, float>;
  bool sums_along_tree() const { return deterministic_ || rounds; }
  /// What follows from the number of micro-batches: done when it changes.
  void plan_sums(int micro_batches, const plan::Schedule& schedule,
                 const plan::ScheduleShape& shape);
  /// Rounds the gradient that the passes of `m` formed, into its buffer or onto the sum so far.
  void round(int m, int segment);
  void zero(float* first, long count) const;
  /// Buffer `i` of a segment's gradients, from its first element on.
  S* buffer(int segment, int i) const;
  /// What the rank ends with: subtree `i` of a bucket.
  S* result(int bucket, std::size_t i) const;
  /// The received subtrees of `rank`, one slice each.
  S* received_from(int rank, std::size_t slice, int place) const;
  /// Micro-batches that a leaf of the tree over ranks covers.
  Block covers(const TreeNode& leaf) const;

  const plan::FlatLayout& layout_;
  parallel::Communicator& comm_;
  int most_;
  bool deterministic_;
  std::vector<S*> buffers_;             // each [layout.size()]
  std::vector<std::vector<S*>> extra_;  // [segment]; each [its elements]
  std::vector<S*> received_;            // [place], each [subtrees of other ranks][slice]
  kernels::Exec exec_;
  GradientSum<S> sum_;
  plan::FormingGradients forming_;
  float* forming_memory_;                     // [forming_.elements()]
  int micro_batches_ = -1, begin_ = 0;        // -1: before the first step
  std::vector<plan::GradientBuffers> local_;  // [segment]: over this rank's micro-batches
  std::vector<std::vector<Block>> covers_;    // [segment][buffer]: micro-batches summed there
  std::set<std::pair<int, int>> opened_;      // micro-batch, segment
  std::vector<std::vector<TreeNode>> nodes_;  // [rank]: what each rank ends with
};

extern template class GradientReducer<float>;
extern template class GradientReducer<bf16>;

}  // namespace vlmark::engine
