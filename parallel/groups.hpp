#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "parallel/communicator.hpp"

namespace vlmark::parallel {

/// Where a rank stands in the grid of ranks.
struct GridPlace {
  int data = 0, pipeline = 0, tensor = 0;
};

/// The communicators of one rank in a grid data x pipeline x tensor, one for each purpose: messages
/// of different purposes never meet, whatever threads they are started from.
struct Groups {
  Communicator* world = nullptr;            ///< outlives the groups
  std::unique_ptr<Communicator> data;       ///< same stage and tensor index; rank = data index
  std::unique_ptr<Communicator> tensor;     ///< same replica and stage; rank = tensor index
  std::unique_ptr<Communicator> forward;    ///< activations: same replica and tensor index; rank =
                                            ///< pipeline index
  std::unique_ptr<Communicator> backward;   ///< gradients: the same ranks
  std::unique_ptr<Communicator> embedding;  ///< a tied embedding: the same ranks
  std::unique_ptr<Communicator> model;      ///< same replica; rank = pipeline index, then tensor
};

/// Every communicator with its name, in an order that all ranks share.
std::vector<std::pair<const char*, Communicator*>> named(const Groups& groups);

/// Splits `world`. Collective. `place` differs on every rank.
Groups make_groups(Communicator& world, const GridPlace& place, int pipeline_ranks,
                   int tensor_ranks);

}  // namespace vlmark::parallel
