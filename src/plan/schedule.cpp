#include "src/plan/schedule.hpp"

#include <map>

namespace vlmark::plan {

const char* name_of(ActionKind kind) {
  static constexpr const char* names[] = {"load",
                                          "forward",
                                          "backward",
                                          "join_gradients",
                                          "reduce_bucket",
                                          "global_norm",
                                          "optimizer_slice",
                                          "gather_bucket",
                                          "join_bucket",
                                          "square_sums",
                                          "post_receive",
                                          "post_send",
                                          "finish_receive",
                                          "finish_send",
                                          "embedding_backward",
                                          "sum_replicated",
                                          "average_replicated",
                                          "broadcast_lengths"};
  static_assert(std::size(names) == kActionKinds);
  return names[static_cast<int>(kind)];
}

const char* name_of(Lane lane) {
  static constexpr const char* names[] = {"compute", "tensor", "pipeline", "data"};
  static_assert(std::size(names) == kLanes);
  return names[static_cast<int>(lane)];
}

const char* name_of(Message message) {
  static constexpr const char* names[] = {"activation", "gradient", "embedding_rows",
                                          "embedding_weights"};
  static_assert(std::size(names) == kMessages);
  return names[static_cast<int>(message)];
}

std::string to_string(BufferId buffer) {
  using Kind = BufferId::Kind;
  static constexpr const char* names[] = {
      "input",        "activation", "gradient",       "gradient_slice", "norm",
      "parameters",   "received",   "square_sums",    "stream",         "stream_gradient",
      "receive_slot", "send_slot",  "embedding_copy", "lengths"};
  std::string text = names[static_cast<int>(buffer.kind)];
  if (buffer.kind == Kind::receive_slot || buffer.kind == Kind::send_slot)
    text += std::string(" ") + name_of(static_cast<Message>(buffer.part));
  text += " " + std::to_string(buffer.index);
  const bool of_segment = buffer.kind == Kind::activation || buffer.kind == Kind::gradient ||
                          buffer.kind == Kind::stream || buffer.kind == Kind::stream_gradient;
  if (of_segment && buffer.part >= 0) text += " s" + std::to_string(buffer.part);
  return text;
}

std::string to_string(const Action& action) {
  std::string text = name_of(action.kind);
  if (action.is_message()) text += std::string(" ") + name_of(action.message);
  if (action.micro_batch >= 0) text += " m" + std::to_string(action.micro_batch);
  if (action.segment >= 0) text += " s" + std::to_string(action.segment);
  if (action.bucket >= 0) text += " b" + std::to_string(action.bucket);
  if (action.is_message()) {
    const bool to = action.kind == ActionKind::post_send || action.kind == ActionKind::finish_send;
    if (action.chunk >= 0) text += " c" + std::to_string(action.chunk);
    text += (to ? " to stage " : " from stage ") + std::to_string(action.peer);
    if (action.slot >= 0) text += " slot " + std::to_string(action.slot);
  }
  return text;
}

std::vector<std::vector<BufferId>> last_uses(const Schedule& schedule) {
  using Kind = BufferId::Kind;
  std::map<BufferId, std::size_t> last;
  for (std::size_t i = 0; i < schedule.size(); ++i) {
    for (const BufferId buffer : schedule[i].reads) last[buffer] = i;
    for (const BufferId buffer : schedule[i].writes) last[buffer] = i;
  }
  std::vector<std::vector<BufferId>> uses(schedule.size());
  for (const auto& [buffer, i] : last)
    if (buffer.kind != Kind::parameters && buffer.kind != Kind::embedding_copy &&
        buffer.kind != Kind::receive_slot && buffer.kind != Kind::send_slot)
      uses[i].push_back(buffer);
  return uses;
}

}  // namespace vlmark::plan
