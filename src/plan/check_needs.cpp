#include <algorithm>

#include "src/plan/check_memory.hpp"

namespace vlmark::plan {
namespace {

using Kind = BufferId::Kind;

bool holds(const std::vector<BufferId>& buffers, BufferId buffer) {
  return std::find(buffers.begin(), buffers.end(), buffer) != buffers.end();
}

}  // namespace

void MemoryPlay::need(const Action& action, BufferId buffer) {
  if (!holds(action.reads, buffer))
    say(action, "needs " + to_string(buffer) + " and does not say that it reads it");
}

void MemoryPlay::need_parameters(const Action& action, int segment) {
  const int first = shape_.first_bucket(segment);
  for (int b = first; b < first + shape_.buckets[static_cast<std::size_t>(segment)]; ++b) {
    need(action, {Kind::parameters, b});
    if (!whole_[b]) say(action, "reads parameters " + std::to_string(b) + " that are not gathered");
  }
}

/// The buffers that an action of this kind cannot do without.
void MemoryPlay::needs(const Action& action) {
  const int m = action.micro_batch, s = action.segment, b = action.bucket;
  if (s >= shape_.segment_count() || b >= shape_.bucket_count()) return;  // no action of a step
  const auto must_write = [&](BufferId buffer) {
    if (!holds(action.writes, buffer))
      say(action, "changes " + to_string(buffer) + " and does not say that it writes it");
  };
  const bool holds_head = shape_.last_rank(), tied_here = shape_.tied && shape_.pipeline == 1;
  switch (action.kind) {
    case ActionKind::broadcast_lengths:
      if (shape_.learns_shapes()) must_write({Kind::lengths, m});
      return;
    case ActionKind::post_receive:
    case ActionKind::post_send:
      if (shape_.learns_shapes() && m >= 0) need(action, {Kind::lengths, m});
      return;
    case ActionKind::load:
      if (shape_.learns_shapes()) need(action, {Kind::lengths, m});
      return must_write({Kind::input, m});
    case ActionKind::forward:
      need(action, {Kind::input, m});
      must_write({Kind::activation, m, s});
      if (holds_head && s == last_segment_) {  // the fused loss
        must_write({Kind::gradient, m, s});
        if (tied_here) must_write({Kind::gradient, m, shape_.embedding_segment});
        if (tied_here) need_parameters(action, shape_.embedding_segment);
      }
      return need_parameters(action, s);
    case ActionKind::backward:
      need(action, {Kind::input, m});
      need(action, {Kind::activation, m, s});
      must_write({Kind::gradient, m, s});
      return need_parameters(action, s);
    case ActionKind::embedding_backward:
      need(action, {Kind::input, m});
      [[fallthrough]];
    case ActionKind::join_gradients:
      need(action, {Kind::gradient, m, s});
      return must_write({Kind::gradient, m, s});
    case ActionKind::reduce_bucket:
    case ActionKind::join_bucket:
      for (int i = shape_.begin; i < shape_.end; ++i) {
        const BufferId gradient{Kind::gradient, i, shape_.segment_of_bucket(b)};
        need(action, gradient);
        if (!joined_.contains(gradient))
          say(action, "reads " + to_string(gradient) + " before join_gradients");
      }
      if (action.kind == ActionKind::join_bucket)
        need(action, {Kind::gradient_slice, b});
      else if (!shape_.overlap.reduce && shape_.micro_batches() > 0)  // after all passes
        for (int i = 0; i < shape_.segment_count(); ++i)
          need(action, {Kind::gradient, shape_.end - 1, i});
      return must_write({Kind::gradient_slice, b});
    case ActionKind::sum_replicated:
      need(action, {Kind::gradient_slice, b});
      return must_write({Kind::gradient_slice, b});
    case ActionKind::square_sums:
      for (int i = 0; i < shape_.bucket_count(); ++i) need(action, {Kind::gradient_slice, i});
      return must_write({Kind::square_sums});
    case ActionKind::global_norm:
      need(action, {Kind::square_sums});
      return must_write({Kind::norm});
    case ActionKind::optimizer_slice:
      need(action, {Kind::gradient_slice, b});
      need(action, {Kind::norm});
      return must_write({Kind::parameters, b});
    case ActionKind::average_replicated:
    case ActionKind::gather_bucket:
      need(action, {Kind::parameters, b});
      return must_write({Kind::parameters, b});
    default:
      return;
  }
}

}  // namespace vlmark::plan
