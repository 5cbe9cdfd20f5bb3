#include "src/plan/schedule_messages.hpp"

#include "src/base/contracts.hpp"

namespace vlmark::plan {
namespace {

using Kind = BufferId::Kind;

BufferId receive_slot(Message message, int slot) {
  return {Kind::receive_slot, slot, static_cast<int>(message)};
}
BufferId send_slot(Message message, int slot) {
  return {Kind::send_slot, slot, static_cast<int>(message)};
}

}  // namespace

MessageWriter::MessageWriter(const ScheduleShape& shape, Schedule& schedule)
    : shape_(shape), schedule_(schedule) {
  const int p = shape.pipeline_rank, P = shape.pipeline, next = (p + 1) % P,
            previous = (p + P - 1) % P;
  channel(Message::activation).from = channel(Message::gradient).to = previous;
  channel(Message::activation).to = channel(Message::gradient).from = next;
  channel(Message::embedding_rows).from = channel(Message::embedding_weights).to = 0;
  channel(Message::embedding_rows).to = channel(Message::embedding_weights).from = P - 1;
  for (int m = 0; m < kMessages; ++m)
    channels_[static_cast<std::size_t>(m)].slots = slots(shape, static_cast<Message>(m));
}

void MessageWriter::add(ActionKind kind, Message message, int peer, Use use, int slot) {
  Action action{kind, Lane::pipeline, use.micro_batch, use.chunk, -1, peer, {}, {}};
  action.message = message;
  action.slot = slot;
  if (slot >= 0) {
    const bool receives = kind == ActionKind::post_receive || kind == ActionKind::finish_receive;
    if (receives)
      action.writes = {receive_slot(message, slot)};
    else
      action.reads = {send_slot(message, slot)};
  }
  const bool posts = kind == ActionKind::post_receive || kind == ActionKind::post_send;
  if (posts && use.micro_batch >= 0 && shape_.learns_shapes())
    action.reads.push_back({Kind::lengths, use.micro_batch});
  schedule_.push_back(std::move(action));
}

void MessageWriter::begin() {
  if (!shape_.overlap.early_messages) return;
  for (const Message message : {Message::activation, Message::gradient, Message::embedding_rows})
    for (int i = 0; i < channel(message).slots.receive; ++i) post(message);
}

void MessageWriter::expect(Message message, int micro_batch, int chunk) {
  channel(message).receives.push_back({micro_batch, chunk});
}

void MessageWriter::post(Message message) {
  Channel& c = channel(message);
  if (c.posted == static_cast<int>(c.receives.size())) return;
  const int u = c.posted++;
  add(ActionKind::post_receive, message, c.from, c.receives[static_cast<std::size_t>(u)],
      u % c.slots.receive);
}

BufferId MessageWriter::receive(Message message) {
  Channel& c = channel(message);
  if (!shape_.overlap.early_messages) post(message);
  const int u = c.received++;
  ensures(u < c.posted);
  const int slot = u % c.slots.receive;
  add(ActionKind::finish_receive, message, c.from, c.receives[static_cast<std::size_t>(u)], slot);
  return receive_slot(message, slot);
}

void MessageWriter::consumed(Message message) {
  if (shape_.overlap.early_messages) post(message);
}

BufferId MessageWriter::reserve(Message message) {
  Channel& c = channel(message);
  const int sent = static_cast<int>(c.sends.size());
  if (sent - c.finished == c.slots.send) finish_send(message);
  return send_slot(message, sent % c.slots.send);
}

void MessageWriter::send(Message message, int micro_batch, int chunk) {
  Channel& c = channel(message);
  const int u = static_cast<int>(c.sends.size());
  c.sends.push_back({micro_batch, chunk});
  add(ActionKind::post_send, message, c.to, c.sends.back(), u % c.slots.send);
}

void MessageWriter::finish_send(Message message) {
  Channel& c = channel(message);
  const int u = c.finished++;
  add(ActionKind::finish_send, message, c.to, c.sends[static_cast<std::size_t>(u)],
      u % c.slots.send);
}

void MessageWriter::end() {
  for (const Message message : {Message::activation, Message::gradient, Message::embedding_rows})
    while (channel(message).finished < static_cast<int>(channel(message).sends.size()))
      finish_send(message);
}

void MessageWriter::send_weights(const std::vector<BufferId>& parameters) {
  add(ActionKind::post_send, Message::embedding_weights, 0, {-1, -1}, -1);
  schedule_.back().reads = parameters;
}

void MessageWriter::finish_weights(const std::vector<BufferId>& parameters) {
  add(ActionKind::finish_send, Message::embedding_weights, 0, {-1, -1}, -1);
  schedule_.back().reads = parameters;
}

void MessageWriter::post_weights() {
  add(ActionKind::post_receive, Message::embedding_weights, shape_.pipeline - 1, {-1, -1}, -1);
  schedule_.back().writes = {{Kind::embedding_copy}};
}

void MessageWriter::receive_weights() {
  add(ActionKind::finish_receive, Message::embedding_weights, shape_.pipeline - 1, {-1, -1}, -1);
  schedule_.back().writes = {{Kind::embedding_copy}};
}

}  // namespace vlmark::plan
