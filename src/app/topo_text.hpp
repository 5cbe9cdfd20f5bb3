#pragma once

#include <string>
#include <vector>

#include "parallel/placement.hpp"
#include "parallel/topology.hpp"

namespace vlmark::app {

/// The tree for a terminal: a line for each package, NUMA node, shared cache, core (with its own
/// caches and PUs) and device, then `topology: complete` or `topology: partial (no ...)`.
std::string topology_text(const parallel::Topology& topology);

/// A line for each rank: host, CPUs, NUMA domains, and how it is bound against the plan of
/// parallel::binding_problems.
std::string binding_text(const std::vector<parallel::RankPlace>& places);

/// Both as one JSON object; `places` may be empty.
std::string topology_json(const parallel::Topology& topology,
                          const std::vector<parallel::RankPlace>& places);

}  // namespace vlmark::app
