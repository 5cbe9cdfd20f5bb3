#pragma once

#include <array>
#include <vector>

#include "src/plan/schedule_order.hpp"

namespace vlmark::plan {

/// Writes the pipeline messages of one rank into its schedule and hands out their slots.
///
/// Everything stands in one lane, in the order in which compute needs it. No post stands behind a
/// finish that could depend on it over other ranks: outputs are posted before the next input is
/// waited for, receives are posted as soon as their slot has been read, and a send is finished only
/// when its slot is written again, `slots` sends of its kind later, or after the last pass.
class MessageWriter {
 public:
  MessageWriter(const ScheduleShape& shape, Schedule& schedule);

  /// With early messages: posts the first receives, one for each slot.
  void begin();
  /// Says that a message of this kind will be received for (micro-batch, local chunk), in order.
  void expect(Message message, int micro_batch, int chunk);
  /// Waits for the next expected message; the slot it lies in.
  BufferId receive(Message message);
  /// After the action that read the slot: posts the receive that takes its place.
  void consumed(Message message);
  /// A slot that may be written.
  BufferId reserve(Message message);
  /// After the action that wrote it.
  void send(Message message, int micro_batch, int chunk);
  /// Finishes every send under way.
  void end();

  /// The copy of the tied embedding, straight from and into the parameters.
  void send_weights(const std::vector<BufferId>& parameters);
  void finish_weights(const std::vector<BufferId>& parameters);
  void post_weights();
  void receive_weights();

 private:
  struct Use {
    int micro_batch, chunk;
  };
  struct Channel {
    Slots slots;
    int from = -1, to = -1;  // pipeline ranks
    std::vector<Use> receives, sends;
    int posted = 0, received = 0, finished = 0;
  };
  Channel& channel(Message message) { return channels_[static_cast<std::size_t>(message)]; }
  void post(Message message);
  void finish_send(Message message);
  void add(ActionKind kind, Message message, int peer, Use use, int slot);

  const ScheduleShape& shape_;
  Schedule& schedule_;
  std::array<Channel, kMessages> channels_;
};

}  // namespace vlmark::plan
