#include "src/engine/awaited.hpp"

namespace vlmark::engine {

using plan::ActionKind;

std::string awaited(const plan::Action& action, const plan::Layout& grid,
                    const plan::Place& place) {
  const auto ranks = [&](int plan::Place::*axis, int size) {
    std::string text;
    for (int i = 0; i < size; ++i) {
      plan::Place other = place;
      other.*axis = i;
      text += (i == 0 ? "" : ", ") + std::to_string(plan::rank_of(grid, other));
    }
    return text;
  };
  switch (action.kind) {
    case ActionKind::reduce_bucket:
    case ActionKind::gather_bucket:
      return "data group, ranks " + ranks(&plan::Place::data, grid.data);
    case ActionKind::broadcast_lengths:
      return "pipeline group, ranks " + ranks(&plan::Place::pipeline, grid.pipeline);
    case ActionKind::global_norm:
      return "data and model groups";
    case ActionKind::forward:
    case ActionKind::backward:
    case ActionKind::embedding_backward:
    case ActionKind::sum_replicated:
    case ActionKind::average_replicated:
      return grid.tensor == 1 ? ""
                              : "tensor group, ranks " + ranks(&plan::Place::tensor, grid.tensor);
    default:
      break;
  }
  if (!action.is_message()) return "";
  plan::Place peer = place;
  peer.pipeline = action.peer;
  return std::string("pipeline, ") + plan::name_of(action.message) + " with rank " +
         std::to_string(plan::rank_of(grid, peer));
}

}  // namespace vlmark::engine
