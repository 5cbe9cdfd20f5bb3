#include <algorithm>
#include <map>

#include "src/plan/check.hpp"
#include "src/plan/check_memory.hpp"

namespace vlmark::plan {
namespace {

/// How often each action that a step must hold is there.
class Counts {
 public:
  explicit Counts(const ScheduleShape& shape) : shape_(shape) {
    const int segments = shape.segment_count();
    const bool owner = shape.shares_embedding() && shape.last_rank();
    for (int m = shape.begin; m < shape.end; ++m) {
      expect(ActionKind::load, m, -1, -1);
      if (shape.broadcasts_shapes()) expect(ActionKind::broadcast_lengths, m, -1, -1);
      for (int s = 0; s < segments; ++s)
        for (const ActionKind kind :
             {ActionKind::forward, ActionKind::backward, ActionKind::join_gradients})
          expect(kind, m, s, -1);
      if (owner) expect(ActionKind::embedding_backward, m, segments - 1, -1);
    }
    for (int b = 0; b < shape.bucket_count(); ++b) {
      for (const ActionKind kind : {ActionKind::reduce_bucket, ActionKind::join_bucket,
                                    ActionKind::optimizer_slice, ActionKind::gather_bucket})
        expect(kind, -1, -1, b);
      if (shape.tensor_ranks > 1) expect(ActionKind::sum_replicated, -1, -1, b);
      if (shape.average) expect(ActionKind::average_replicated, -1, -1, b);
    }
    expect(ActionKind::square_sums, -1, -1, -1);
    expect(ActionKind::global_norm, -1, -1, -1);
  }

  void see(const Action& action, std::vector<std::string>& problems) {
    if (action.is_message()) return;
    const auto it = left_.find({action.kind, action.micro_batch, action.segment, action.bucket});
    if (it == left_.end())
      problems.push_back(to_string(action) + " belongs to no step of this rank");
    else if (it->second-- == 0)
      problems.push_back(to_string(action) + " is there twice");
    if (action.segment >= 0 && action.segment < shape_.segment_count() &&
        action.chunk != shape_.chunk_of(action.segment))
      problems.push_back(to_string(action) + " says chunk " + std::to_string(action.chunk) +
                         ", but the segment lies in chunk " +
                         std::to_string(shape_.chunk_of(action.segment)));
  }

  void end(std::vector<std::string>& problems) const {
    for (const auto& [key, left] : left_)
      if (left > 0) {
        Action action{key.kind, Lane::compute, key.micro_batch, -1, key.bucket};
        action.segment = key.segment;
        problems.push_back(to_string(action) + " is missing");
      }
  }

 private:
  struct Key {
    ActionKind kind;
    int micro_batch, segment, bucket;
    auto operator<=>(const Key&) const = default;
  };
  void expect(ActionKind kind, int micro_batch, int segment, int bucket) {
    left_[{kind, micro_batch, segment, bucket}] = 1;
  }

  const ScheduleShape& shape_;
  std::map<Key, int> left_;
};

}  // namespace

std::vector<std::string> check_rank(const RankPlan& plan) {
  std::vector<std::string> problems;
  Counts counts(plan.shape);
  MemoryPlay memory(plan.shape);
  for (const Action& action : plan.schedule) {
    counts.see(action, problems);
    memory.play(action, problems);
  }
  counts.end(problems);
  memory.end(problems);
  for (std::string& text : unordered(plan.schedule, plan.waits))
    problems.push_back(std::move(text));
  return problems;
}

}  // namespace vlmark::plan
