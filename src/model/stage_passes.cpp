#include "src/model/stage_passes.hpp"

#include "src/plan/ledger.hpp"

namespace vlmark::model {

using plan::Action;
using plan::ActionKind;
using plan::BufferId;
using plan::Message;

MessageSlots::MessageSlots(const plan::ScheduleShape& shape) {
  for (int kind = 0; kind < plan::kMessages; ++kind) {
    const plan::Slots slots = plan::slots(shape, static_cast<Message>(kind));
    first_receive_[kind] = count_;
    first_send_[kind] = count_ + slots.receive;
    count_ += slots.receive + slots.send;
  }
}

int MessageSlots::receive(Message message, int slot) const {
  return first_receive_[static_cast<int>(message)] + slot;
}

int MessageSlots::send(Message message, int slot) const {
  return first_send_[static_cast<int>(message)] + slot;
}

bool StagePasses::first_of_chunk(const Action& a) const {
  return a.segment == shape_.first_segment(a.chunk);
}

bool StagePasses::last_of_chunk(const Action& a) const {
  return a.segment + 1 ==
         shape_.first_segment(a.chunk) + shape_.segments[static_cast<std::size_t>(a.chunk)];
}

bool StagePasses::last_chunk(int chunk) const {
  return shape_.last_rank() && chunk == shape_.chunks - 1;
}

plan::UnitRange StagePasses::units(const Action& a) const {
  const auto& chunk = model_.shard().chunks[static_cast<std::size_t>(a.chunk)];
  return chunk[static_cast<std::size_t>(a.segment - shape_.first_segment(a.chunk))];
}

Tensor StagePasses::place(const Ops& ops, int slot, const plan::MicroBatchShape& shape) const {
  return Tensor::at(state_.slots[static_cast<std::size_t>(slot)], ops.local_rows(shape.tokens()),
                    model_.config().hidden, DType::f32);
}

Tensor StagePasses::slot_of(const Ops& ops, const Action& action, BufferId::Kind kind,
                            Message message) const {
  const auto& buffers = kind == BufferId::Kind::receive_slot ? action.reads : action.writes;
  for (const BufferId buffer : buffers) {
    if (buffer.kind != kind || buffer.part != static_cast<int>(message)) continue;
    const int slot = kind == BufferId::Kind::receive_slot ? slots_.receive(message, buffer.index)
                                                          : slots_.send(message, buffer.index);
    return place(ops, slot, batch(action.micro_batch).shape);
  }
  expects(false);  // the schedule names what every action touches
  return {};
}

Tensor StagePasses::slot(const Ops& ops, const Action& action,
                         const plan::MicroBatchShape& shape) const {
  return place(ops,
               action.kind == ActionKind::post_receive ? slots_.receive(action.message, action.slot)
                                                       : slots_.send(action.message, action.slot),
               shape);
}

long StagePasses::elements(const Ops& ops, const plan::MicroBatchShape& shape,
                           Message message) const {
  const long rows = ops.local_rows(shape.tokens());
  const long all = rows * model_.config().hidden;
  if (message == Message::activation) return all;
  if (!plan::needs_backward(shape, ops.trainable())) return 0;
  return message == Message::gradient || ops.trainable().llm ? all : 0;
}

void StagePasses::forward(Ops& ops, const Action& action, float loss_scale) {
  const int m = action.micro_batch;
  Pass& pass = passes_[{m, action.chunk}];
  if (first_of_chunk(action) && !first_chunk(action.chunk))
    pass.stream =
        ops.copied(slot_of(ops, action, BufferId::Kind::receive_slot, Message::activation));
  model_.forward(ops, units(action), batch(m), loss_scale, recompute_, pass);
  if (!last_of_chunk(action)) return;
  if (last_chunk(action.chunk)) {
    loss_sums_[m] = pass.loss_sum;
    return;
  }
  Tensor out = slot_of(ops, action, BufferId::Kind::send_slot, Message::activation);
  ops.copy(pass.stream, out);
  pass.stream = {};
}

void StagePasses::backward(Ops& ops, const Action& action) {
  const int m = action.micro_batch;
  const auto found = passes_.find({m, action.chunk});
  Pass& pass = found->second;
  if (plan::needs_backward(batch(m).shape, ops.trainable())) {
    if (last_of_chunk(action) && !last_chunk(action.chunk))
      pass.stream =
          ops.copied(slot_of(ops, action, BufferId::Kind::receive_slot, Message::gradient));
    model_.backward(ops, units(action), batch(m), pass);
    if (!pass.d_embedding.empty()) {
      Tensor out = slot_of(ops, action, BufferId::Kind::send_slot, Message::embedding_rows);
      ops.copy(pass.d_embedding, out);
      pass.d_embedding = {};
    }
    if (first_of_chunk(action) && !first_chunk(action.chunk)) {
      Tensor out = slot_of(ops, action, BufferId::Kind::send_slot, Message::gradient);
      ops.copy(pass.stream, out);
    }
  }
  if (first_of_chunk(action)) passes_.erase(found);
}

bool StagePasses::runs(ActionKind kind) {
  return kind == ActionKind::forward || kind == ActionKind::backward ||
         kind == ActionKind::embedding_backward;
}

void StagePasses::run(Ops& ops, const Action& action, float loss_scale) {
  switch (action.kind) {
    case ActionKind::forward:
      forward(ops, action, loss_scale);
      break;
    case ActionKind::backward:
      backward(ops, action);
      break;
    default: {
      expects(action.kind == ActionKind::embedding_backward);
      const MicroBatch& rows = batch(action.micro_batch);
      if (elements(ops, rows.shape, Message::embedding_rows) == 0) break;
      const CountedPart part(Part::decoder);
      ops.embedding_backward(
          slot_of(ops, action, BufferId::Kind::receive_slot, Message::embedding_rows), rows.ids,
          model_.table().embedding);
    }
  }
}

void StagePasses::clear() {
  expects(passes_.empty());
  batches_.clear();
  loss_sums_.clear();
}

}  // namespace vlmark::model
