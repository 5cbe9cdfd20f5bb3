#include "parallel/groups.hpp"

namespace vlmark::parallel {

Groups make_groups(Communicator& world, const GridPlace& place, int pipeline_ranks,
                   int tensor_ranks) {
  const auto [d, p, t] = place;
  Groups groups;
  groups.world = &world;
  groups.data = world.split(p * tensor_ranks + t, d);
  groups.tensor = world.split(d * pipeline_ranks + p, t);
  groups.forward = world.split(d * tensor_ranks + t, p);
  groups.backward = world.split(d * tensor_ranks + t, p);
  groups.embedding = world.split(d * tensor_ranks + t, p);
  groups.model = world.split(d, p * tensor_ranks + t);
  return groups;
}

std::vector<std::pair<const char*, Communicator*>> named(const Groups& groups) {
  return {{"world", groups.world},
          {"data", groups.data.get()},
          {"tensor", groups.tensor.get()},
          {"forward", groups.forward.get()},
          {"backward", groups.backward.get()},
          {"embedding", groups.embedding.get()},
          {"model", groups.model.get()}};
}

}  // namespace vlmark::parallel
