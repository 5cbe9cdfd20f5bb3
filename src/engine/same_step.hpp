#pragma once

#include <span>

#include "parallel/communicator.hpp"
#include "src/plan/shapes.hpp"

namespace vlmark::engine {

/// All ranks of `world` plan the same step: throws AgreedError that names the first difference where
/// one plans another. Collective.
/// Cost: one all_reduce of two i64 where all agree.
void require_same_step(parallel::Communicator& world, std::span<const plan::MicroBatchShape> shapes,
                       double learning_rate);

}  // namespace vlmark::engine
