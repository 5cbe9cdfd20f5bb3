#pragma once

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "src/plan/flat_layout.hpp"
#include "src/plan/schedule_shape.hpp"

namespace vlmark::plan {

/// Where passes form micro-batch gradients in fp32, segment by segment, while their sums are kept
/// in bf16. A place is taken at the first action that writes the gradient and free after
/// join_gradients. One stage has one segment under way at a time, and the tied embedding's beside
/// it, which the head opens and the embedding closes; the rank of the head among several stages has
/// lagging_gradients() of its last segment and one of the others. Each of these is as large as the
/// largest segment that it serves.
class FormingGradients {
 public:
  /// `shape`: of the largest step.
  FormingGradients(const FlatLayout& layout, const ScheduleShape& shape);

  long elements() const { return elements_; }  ///< of all places together

  /// The first element of the place of (m, segment), and whether it has been taken just now.
  std::pair<long, bool> open(int micro_batch, int segment);
  /// Frees it and tells where it was.
  long close(int micro_batch, int segment);

 private:
  std::vector<int> pool_of_;                  // [segment]
  std::vector<std::set<long>> free_;          // [pool]
  std::map<std::pair<int, int>, long> open_;  // micro-batch, segment
  long elements_ = 0;
};

}  // namespace vlmark::plan
