#pragma once

#include <cstdint>
#include <vector>

#include "parallel/communicator.hpp"
#include "src/plan/state_layout.hpp"

namespace vlmark::train {

/// Throws ConfigError on every rank whose planned memory is not there, with the largest item named.
/// `available`: what the ranks of a node have together (`shared`), or this one has; 0: unknown,
/// nothing is refused. Collective; a rank that throws has taken part.
void require_memory(parallel::Communicator& world, const std::vector<plan::MemoryItem>& items,
                    std::int64_t available, bool shared);

}  // namespace vlmark::train
