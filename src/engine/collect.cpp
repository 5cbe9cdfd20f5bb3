#include "src/engine/collect.hpp"

#include <array>
#include <map>
#include <string>

namespace vlmark::engine {
namespace {

/// Announces a run: tensor of the whole model, first element, elements. -1: there is no other.
using Header = std::array<std::int64_t, 3>;

}  // namespace

void collect(parallel::Communicator& model, const plan::ParameterTable& whole,
             const plan::ParameterTable& held,
             const std::function<void(const plan::TensorVisit&)>& hold,
             const plan::TensorVisit& visit) {
  std::map<std::string, std::int64_t> place;
  for (std::size_t i = 0; i < whole.tensors.size(); ++i)
    place.emplace(whole.tensors[i].name, static_cast<std::int64_t>(i));
  const auto send = [&](Header header) { model.send(parallel::buffer(header), 0, 0).wait(); };
  hold([&](const plan::LogicalTensor& tensor, long first, std::span<const float> values) {
    const bool counts =
        tensor.sharing == plan::Sharing::split || tensor.holders.begin == held.shard.tensor_rank;
    if (!counts || held[tensor.parameter].copy) return;
    const std::int64_t id = place.at(tensor.name);
    if (model.rank() == 0) {
      visit(whole.tensors[static_cast<std::size_t>(id)], first, values);
      return;
    }
    send({id, first, static_cast<std::int64_t>(values.size())});
    model.send(parallel::buffer(values.data(), values.size()), 0, 1).wait();
  });
  if (model.rank() != 0) {
    send({-1, 0, 0});
    return;
  }
  std::vector<float> values;
  for (int rank = 1; rank < model.size(); ++rank)
    while (true) {
      Header header{};
      model.receive(parallel::buffer(header), rank, 0).wait();
      if (header[0] < 0) break;
      values.resize(static_cast<std::size_t>(header[2]));
      model.receive(parallel::buffer(values), rank, 1).wait();
      visit(whole.tensors[static_cast<std::size_t>(header[0])], header[1], values);
    }
}

}  // namespace vlmark::engine
