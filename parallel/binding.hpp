#pragma once

#include <string>
#include <vector>

#include "parallel/placement.hpp"

namespace vlmark::parallel {

/// A rank that does not run as planned (rule V9).
struct BindingProblem {
  int rank = 0;      ///< in the order of the places
  std::string text;  ///< "2 threads on core 0", "shares cores 0-1 with rank 1: ..."
};

/// The plan of a launch is: as many cores to each rank as it has threads, of a device's NUMA domain
/// where it has one. A launch that binds nothing, or several ranks to one domain, keeps it as long
/// as the ranks that share cores have no more threads together than cores. Found are
///
/// - ranks of more threads than cores that they may use;
/// - ranks that share cores, directly or over others, and have more threads together than cores;
/// - ranks whose memory lies in other NUMA domains than their device.
///
/// A rank whose cores are not known is not found, see unknown_bindings. A pure function.
std::vector<BindingProblem> binding_problems(const std::vector<RankPlace>& places);

/// Ranks of which nobody can say whether they run as planned: cores unknown, or a system that cannot
/// bind.
int unknown_bindings(const std::vector<RankPlace>& places);

/// "0-3,8" of sorted numbers; "" of none.
std::string ranges_of(const std::vector<int>& numbers);

}  // namespace vlmark::parallel
