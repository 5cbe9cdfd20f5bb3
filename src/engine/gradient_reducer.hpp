#pragma once

#include <cstdint>
#include <vector>

#include "parallel/communicator.hpp"
#include "src/base/summation_tree.hpp"
#include "src/engine/arena_memory.hpp"
#include "src/plan/flat_layout.hpp"
#include "src/plan/state_layout.hpp"

namespace vlmark::engine {

/// Sums micro-batch gradients over a rank's own micro-batches and then over ranks, bucket by
/// bucket, so that every rank ends with the slice it owns.
///
/// Deterministic: each micro-batch's gradient is formed alone and joined along the fixed binary
/// tree over the global micro-batch index, inside a rank and between ranks; the bits of the sum do
/// not depend on the number of ranks. Fast: one buffer is added into in place and the transport's
/// reduce-scatter adds in its own order.
class GradientReducer {
 public:
  /// `most`: micro-batches of the largest step, which the buffers are planned for.
  /// `comm` carries kernel memory.
  GradientReducer(const kernels::Exec& exec, const plan::FlatLayout& layout,
                  const plan::StateLayout& state, const ArenaMemory& memory,
                  parallel::Communicator& comm, int most, bool deterministic);

  /// A new step of `micro_batches` over all ranks. Ranks share the largest step; a smaller one
  /// leaves out its end, so that no rank holds or receives more subtrees than planned. Throws
  /// ValueError for a larger one.
  void begin_step(int micro_batches);
  /// This rank's micro-batches of the step.
  int begin() const { return begin_; }
  int end() const { return end_; }

  /// Zeroed buffer that micro-batch `m` adds its gradient into.
  float* buffer(int m);
  /// Joins the finished gradient of `m` with earlier ones.
  void join(int m);
  /// BEFORE: every rank holds its joined gradients of bucket `b`.
  /// AFTER:  every rank holds the sum over all micro-batches in its slice of bucket `b`.
  /// In two parts: the messages, without kernels, and then the kernels.
  void exchange(int b);
  void join_bucket(int b);
  /// The reduced gradient: valid on the owned slices.
  float* reduced() const { return buffers_[0]; }

 private:
  kernels::Vec<float> view(float* base, plan::Range range) const;
  /// The received subtrees of `rank`, one slice each.
  float* received_from(int rank, std::size_t slice) const;

  const plan::FlatLayout& layout_;
  parallel::Communicator& comm_;
  int most_;
  bool deterministic_;
  std::vector<float*> buffers_;  // each [layout.size()]
  float* received_;              // [subtrees of other ranks][slice]
  kernels::Exec exec_;
  int micro_batches_ = 0, begin_ = 0, end_ = 0;
  JoinPlan local_;                            // over this rank's micro-batches
  std::vector<std::vector<TreeNode>> nodes_;  // [rank]: what each rank ends with
};

}  // namespace vlmark::engine
