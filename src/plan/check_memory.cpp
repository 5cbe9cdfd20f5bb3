#include "src/plan/check_memory.hpp"

#include <algorithm>

namespace vlmark::plan {
namespace {

using Kind = BufferId::Kind;

bool holds(const std::vector<BufferId>& buffers, BufferId buffer) {
  return std::find(buffers.begin(), buffers.end(), buffer) != buffers.end();
}
bool is_slot(BufferId buffer) {
  return buffer.kind == Kind::receive_slot || buffer.kind == Kind::send_slot;
}
std::string letter(Message message, int micro_batch, int chunk) {
  return std::string(name_of(message)) + " m" + std::to_string(micro_batch) + " c" +
         std::to_string(chunk);
}

}  // namespace

MemoryPlay::MemoryPlay(const ScheduleShape& shape)
    : shape_(shape), last_segment_(shape.segment_count() - 1), copy_fresh_(!shape.overlap.gather) {
  for (int b = 0; b < shape.bucket_count(); ++b) {
    written_.insert({Kind::parameters, b});
    whole_[b] = !shape.overlap.gather;
  }
  written_.insert({Kind::embedding_copy});
}

void MemoryPlay::say(const Action& action, const std::string& text) {
  problems_->push_back(to_string(action) + " " + text);
}

void MemoryPlay::play(const Action& action, std::vector<std::string>& problems) {
  problems_ = &problems;
  for (const BufferId buffer : action.reads)
    if (!is_slot(buffer)) read(action, buffer);
  needs(action);
  if (action.is_message()) {
    if (action.message == Message::embedding_weights)
      weights(action);
    else
      message(action);
  } else {
    pass(action);
    update(action);
  }
  for (const BufferId buffer : action.writes)
    if (!is_slot(buffer)) written_.insert(buffer);
}

void MemoryPlay::read(const Action& action, BufferId buffer) {
  if (freed_.contains(buffer))
    say(action, "reads " + to_string(buffer) + " after it was freed");
  else if (!written_.contains(buffer))
    say(action, "reads " + to_string(buffer) + " before anything wrote it");
}

bool MemoryPlay::has_slot(const Action& action, BufferId::Kind kind, Message message,
                          bool writes) const {
  const std::vector<BufferId>& buffers = writes ? action.writes : action.reads;
  return std::any_of(buffers.begin(), buffers.end(), [&](BufferId buffer) {
    return buffer.kind == kind && buffer.part == static_cast<int>(message);
  });
}

/// Forward, backward and embedding_backward: what goes in, what comes out, what is freed.
void MemoryPlay::pass(const Action& action) {
  const bool forward = action.kind == ActionKind::forward,
             backward = action.kind == ActionKind::backward,
             embedding = action.kind == ActionKind::embedding_backward;
  if (!forward && !backward && !embedding) return;
  const int m = action.micro_batch, s = action.segment, c = action.chunk;
  if (s < 0 || s >= shape_.segment_count() || c < 0 || c >= shape_.chunks) return;
  const int first = shape_.first_segment(c),
            last = first + shape_.segments[static_cast<std::size_t>(c)] - 1,
            place = c * shape_.pipeline + shape_.pipeline_rank;
  const bool opens = place == 0, closes = place == shape_.chunks * shape_.pipeline - 1;
  const auto consume = [&](BufferId buffer) {
    need(action, buffer);
    freed_.insert(buffer);
  };
  const auto must = [&](bool there, Message message, bool out) {
    if (there && !has_slot(action, out ? Kind::send_slot : Kind::receive_slot, message, out))
      say(action, std::string(out ? "hands on no " : "takes no ") + name_of(message));
  };
  if (forward) {
    if (s > first) consume({Kind::stream, m, s - 1});
    must(s == first && !opens, Message::activation, false);
    must(s == last && !closes, Message::activation, true);
    if (shape_.shares_embedding() && opens && s == shape_.embedding_segment) {
      need(action, {Kind::embedding_copy});
      if (!copy_fresh_ || copy_arriving_)
        say(action, "reads the copy of the embedding before its new weights have arrived");
    }
  } else if (backward) {
    freed_.insert({Kind::activation, m, s});
    if (s < last) consume({Kind::stream_gradient, m, s + 1});
    must(s == last && !closes, Message::gradient, false);
    must(s == first && !opens, Message::gradient, true);
    must(shape_.shares_embedding() && opens && s == shape_.embedding_segment,
         Message::embedding_rows, true);
  } else {
    must(true, Message::embedding_rows, false);
  }
  for (const BufferId buffer : action.reads) {
    if (buffer.kind != Kind::receive_slot) continue;
    Slot& slot = slots_[buffer];
    const auto message = static_cast<Message>(buffer.part);
    if (slot.step == Step::empty)
      say(action, "reads " + to_string(buffer) + ", which holds nothing");
    else if (slot.step == Step::under_way)
      say(action, "reads " + to_string(buffer) + " before finish_receive");
    else if (slot.micro_batch != m || slot.chunk != c)
      say(action, "reads " + to_string(buffer) + ", which holds " +
                      letter(message, slot.micro_batch, slot.chunk));
    slot.step = Step::empty;
  }
  for (const BufferId buffer : action.writes) {
    if (buffer.kind != Kind::send_slot) continue;
    Slot& slot = slots_[buffer];
    if (slot.step != Step::empty)
      say(action, "writes " + to_string(buffer) + " while " + slot.by + " is not finished");
    slot = {Step::full, m, c, to_string(action)};
  }
}

/// post_ and finish_ of messages with a slot.
void MemoryPlay::message(const Action& action) {
  const bool receives =
      action.kind == ActionKind::post_receive || action.kind == ActionKind::finish_receive;
  const BufferId buffer{receives ? Kind::receive_slot : Kind::send_slot, action.slot,
                        static_cast<int>(action.message)};
  if (!holds(receives ? action.writes : action.reads, buffer))
    say(action, "does not say that it uses " + to_string(buffer));
  const Slots limit = slots(shape_, action.message);
  if (action.slot < 0 || action.slot >= (receives ? limit.receive : limit.send))
    say(action, "has no such slot");
  Slot& slot = slots_[buffer];
  const bool same = slot.micro_batch == action.micro_batch && slot.chunk == action.chunk;
  switch (action.kind) {
    case ActionKind::post_receive:
      if (slot.step != Step::empty)
        say(action, "overwrites " + to_string(buffer) + ", whose " +
                        letter(action.message, slot.micro_batch, slot.chunk) +
                        " nobody has read yet");
      slot = {Step::under_way, action.micro_batch, action.chunk, to_string(action)};
      return;
    case ActionKind::finish_receive:
      if (slot.step != Step::under_way || !same) say(action, "has no post_receive before it");
      slot = {Step::full, action.micro_batch, action.chunk, to_string(action)};
      return;
    case ActionKind::post_send:
      if (slot.step != Step::full || !same)
        say(action, "sends " + to_string(buffer) + " before anything wrote it");
      slot = {Step::under_way, action.micro_batch, action.chunk, to_string(action)};
      return;
    default:
      if (slot.step != Step::under_way || !same) say(action, "has no post_send before it");
      slot = {};
  }
}

/// The tied embedding on its way from the last rank to the first.
void MemoryPlay::weights(const Action& action) {
  const BufferId copy{Kind::embedding_copy};
  if ((action.kind == ActionKind::post_receive || action.kind == ActionKind::finish_receive) &&
      !holds(action.writes, copy))
    say(action, "changes " + to_string(copy) + " and does not say that it writes it");
  switch (action.kind) {
    case ActionKind::post_send:
      need_parameters(action, last_segment_);
      weights_leaving_ = true;
      return;
    case ActionKind::finish_send:
      need_parameters(action, last_segment_);
      if (!weights_leaving_) say(action, "has no post_send before it");
      weights_leaving_ = false;
      return;
    case ActionKind::post_receive:
      copy_arriving_ = true;
      return;
    default:
      if (!copy_arriving_) say(action, "has no post_receive before it");
      copy_arriving_ = false;
      copy_fresh_ = true;
  }
}

/// Joins, reductions, norm and optimizer.
void MemoryPlay::update(const Action& action) {
  const int b = action.bucket, m = action.micro_batch, s = action.segment;
  const auto place = std::find_if(
      action.kind == ActionKind::join_bucket ? action.reads.begin() : action.writes.begin(),
      action.kind == ActionKind::join_bucket ? action.reads.end() : action.writes.end(),
      [](BufferId buffer) { return buffer.kind == Kind::received; });
  switch (action.kind) {
    case ActionKind::join_gradients:
      if (!freed_.contains({Kind::activation, m, s}))
        say(action, "stands before backward m" + std::to_string(m) + " s" + std::to_string(s));
      joined_.insert({Kind::gradient, m, s});
      return;
    case ActionKind::embedding_backward:
      if (joined_.contains({Kind::gradient, m, s}))
        say(action, "adds to " + to_string(BufferId{Kind::gradient, m, s}) + " after its join");
      return;
    case ActionKind::reduce_bucket:
      if (place == action.writes.end()) return say(action, "receives into no buffer");
      if (const auto it = received_.find(place->index); it != received_.end())
        say(action, "overwrites " + to_string(*place) + ", which holds bucket " +
                        std::to_string(it->second) + " (not joined yet)");
      received_[place->index] = b;
      finished_[b] = 1;
      return;
    case ActionKind::join_bucket: {
      if (place == action.reads.end()) return say(action, "joins from no buffer");
      const auto it = received_.find(place->index);
      if (it == received_.end() || it->second != b)
        say(action, "reads " + to_string(*place) + ", which does not hold its bucket");
      if (it != received_.end()) received_.erase(it);
      finished_[b] = 2;
      return;
    }
    case ActionKind::sum_replicated:
      if (finished_[b] != 2) say(action, "stands before join_bucket b" + std::to_string(b));
      replicated_.insert(b);
      return;
    case ActionKind::square_sums:
      for (int i = 0; i < shape_.bucket_count(); ++i) {
        if (finished_[i] != 2) say(action, "stands before join_bucket b" + std::to_string(i));
        if (shape_.tensor_ranks > 1 && !replicated_.contains(i))
          say(action, "stands before sum_replicated b" + std::to_string(i));
      }
      return;
    case ActionKind::average_replicated:
      if (!updated_.contains(b)) say(action, "stands before optimizer_slice b" + std::to_string(b));
      [[fallthrough]];
    case ActionKind::optimizer_slice:
      updated_.insert(b);
      if (weights_leaving_ && shape_.segment_of_bucket(b) == last_segment_)
        say(action,
            "changes parameters " + std::to_string(b) + " while they are sent to the first stage");
      whole_[b] = false;
      if (shape_.shares_embedding() && shape_.first_rank()) copy_fresh_ = false;
      return;
    case ActionKind::gather_bucket:
      whole_[b] = true;
      return;
    default:
      return;
  }
}

void MemoryPlay::end(std::vector<std::string>& problems) const {
  for (const auto& [buffer, slot] : slots_)
    if (slot.step != Step::empty)
      problems.push_back(slot.by + " is not finished at the end of the step: " + to_string(buffer) +
                         " is still in use");
  if (copy_arriving_ || weights_leaving_)
    problems.push_back("the embedding's weights are still under way at the end of the step");
  if (shape_.overlap.gather) return;
  for (const auto& [b, whole] : whole_)
    if (!whole)
      problems.push_back("bucket " + std::to_string(b) +
                         " is not gathered after its optimizer slice");
  if (shape_.shares_embedding() && shape_.first_rank() && shape_.bucket_count() > 0 && !copy_fresh_)
    problems.push_back("the first stage does not get the embedding's new weights");
}

}  // namespace vlmark::plan
