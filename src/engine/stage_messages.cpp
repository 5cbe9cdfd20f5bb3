#include "src/engine/stage_messages.hpp"

#include "src/base/fault.hpp"

namespace vlmark::engine {

using plan::Action;
using plan::ActionKind;
using plan::Message;

StageMessages::Key StageMessages::key_of(const Action& action) {
  const bool receives =
      action.kind == ActionKind::post_receive || action.kind == ActionKind::finish_receive;
  return {receives, action.message, action.slot};
}

parallel::Communicator& StageMessages::communicator(Message message) const {
  switch (message) {
    case Message::activation:
      return *groups_.forward;
    case Message::gradient:
      return *groups_.backward;
    case Message::embedding_rows:
    case Message::embedding_weights:
      break;
  }
  return *groups_.embedding;
}

parallel::Buffer StageMessages::buffer_of(const Action& action,
                                          const plan::MicroBatchShape* shape) const {
  if (action.message == Message::embedding_weights)
    return {.data = table_.data, .count = table_.count, .type = table_.type};
  long elements = passes_.elements(ops_, *shape, action.message);
  if (planted(Fault::lost_message) && action.message == Message::activation) elements /= 2;
  if (elements == 0) return {};
  return parallel::buffer(memory_.at<float>(passes_.slot(ops_, action, *shape).offset()),
                          static_cast<std::size_t>(elements));
}

void StageMessages::post(const Action& action, const plan::MicroBatchShape* shape) {
  const parallel::Buffer buffer = buffer_of(action, shape);
  if (buffer.count == 0) return;  // both sides know it from the shape
  parallel::Communicator& comm = communicator(action.message);
  const int tag = static_cast<int>(action.message);
  under_way_.emplace(key_of(action), action.kind == ActionKind::post_receive
                                         ? comm.receive(buffer, action.peer, tag)
                                         : comm.send(buffer, action.peer, tag));
}

void StageMessages::finish(const Action& action) {
  const auto found = under_way_.find(key_of(action));
  if (found == under_way_.end()) return;
  std::move(found->second).wait();
  under_way_.erase(found);
}

}  // namespace vlmark::engine
