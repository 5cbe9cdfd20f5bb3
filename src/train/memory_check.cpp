#include "src/train/memory_check.hpp"

#include <algorithm>
#include <string>

#include "parallel/gather.hpp"
#include "parallel/scalars.hpp"
#include "src/base/error.hpp"
#include "src/plan/misfit.hpp"

namespace vlmark::train {
namespace {

/// The ranks that share memory with this one; itself where nobody does.
std::unique_ptr<parallel::Communicator> neighbours(parallel::Communicator& world, bool shared) {
  const std::vector<std::string> hosts = parallel::all_gather_strings(world, world.host());
  const auto first = std::find(hosts.begin(), hosts.end(), world.host());
  return world.split(shared ? static_cast<int>(first - hosts.begin()) : world.rank(), world.rank());
}

}  // namespace

void require_memory(parallel::Communicator& world, const std::vector<plan::MemoryItem>& items,
                    std::int64_t available, bool shared) {
  const auto node = neighbours(world, shared);
  const double mine = plan::total_bytes(items), all = parallel::all_reduce_sum(*node, mine);
  const auto left = static_cast<double>(parallel::all_reduce_min(*node, available));
  if (left == 0) return;
  std::string where = "memory of rank " + std::to_string(world.rank()) + " on " + world.host();
  if (node->size() > 1) where += ", beside " + std::to_string(node->size() - 1) + " more there";
  const std::string problem = plan::misfit(where, items, std::max(left - (all - mine), 0.0));
  if (!problem.empty()) throw ConfigError(problem);
}

}  // namespace vlmark::train
