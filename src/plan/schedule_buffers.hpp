#pragma once

#include <vector>

#include "src/base/summation_tree.hpp"
#include "src/plan/schedule_shape.hpp"

namespace vlmark::plan {

/// Where the micro-batch gradients of one segment lie while they are summed along the fixed tree.
struct GradientBuffers {
  int buffers = 0;                       ///< alive at once
  std::vector<int> buffer_of;            ///< [micro-batch - begin]: what its passes add into
  std::vector<std::vector<Join>> joins;  ///< [micro-batch - begin]: what its join_gradients does
  std::vector<TreeNode> results;         ///< what remains at the end
  std::vector<int> buffer_of_result;     ///< [results.size()]
};

/// Plays the schedule's writes and joins of the segment's gradients: a micro-batch takes the lowest
/// free buffer at the first action that writes its gradient and is joined at join_gradients. Where
/// one follows the other at once this is plan_joins; where joins lag behind (the head, whose
/// gradient starts in the forward; a tied embedding, which waits for the first stage) each
/// micro-batch under way takes a further buffer. `micro_batches`: of the step, over all replicas.
GradientBuffers gradient_buffers(const Schedule& schedule, int segment, const ScheduleShape& shape,
                                 int micro_batches);

/// The same where every gradient gets its buffer at its join, because it was formed elsewhere.
GradientBuffers joined_buffers(const ScheduleShape& shape, int micro_batches);

}  // namespace vlmark::plan
