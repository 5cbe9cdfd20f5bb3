#pragma once

#include <string>
#include <vector>

#include "src/plan/state_layout.hpp"

namespace vlmark::plan {

double total_bytes(const std::vector<MemoryItem>& items);

/// Why a rank with `memory_bytes` cannot run what was planned for it, with the largest item named;
/// empty: it can. `where` begins the message.
std::string misfit(const std::string& where, const std::vector<MemoryItem>& items,
                   double memory_bytes);

}  // namespace vlmark::plan
