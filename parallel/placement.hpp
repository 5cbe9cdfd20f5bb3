#pragma once

#include <compare>
#include <memory>
#include <string>
#include <vector>

#include "parallel/communicator.hpp"

namespace vlmark::parallel {

/// Where a rank runs. An empty list: not known.
struct RankPlace {
  std::string host;
  std::vector<int> packages;  ///< that hold its CPUs, as the system numbers them
  std::vector<int> numa;      ///< domains that its memory comes from
  std::string cpus;           ///< that it may use: "0-3,8"
  std::string gpu = {};       ///< PCI address of its device; empty: none
  std::vector<int> gpu_numa = {};
  std::string missing = {};     ///< what hwloc does not know of this machine; empty: nothing
  std::vector<int> cores = {};  ///< whose hardware threads it may use, in hwloc's order
  int threads = 1;              ///< that it will run kernels on
  bool binds = true;            ///< the system can bind processes

  /// The domains that count for neighbours: those of the device, else of the host's memory.
  const std::vector<int>& domains() const { return gpu_numa.empty() ? numa : gpu_numa; }
  bool operator==(const RankPlace&) const = default;
};

/// How many groups of a grid are not side by side, the dearest first.
struct Spread {
  int tensor_over_hosts = 0;
  int tensor_over_domains = 0;  ///< on one host, but in several NUMA domains
  int stages_over_hosts = 0;    ///< replicas whose stages lie on several hosts
  auto operator<=>(const Spread&) const = default;
};

/// `order[i]`: the rank, in the numbering of `places`, that takes place i of the grid.
Spread spread_of(const std::vector<RankPlace>& places, const std::vector<int>& order,
                 int pipeline_ranks, int tensor_ranks);

/// The order of ranks in the grid, tensor ranks neighbours, then stages, replicas outermost (as in
/// plan::place_of). The given order is kept unless another has a smaller spread. Then ranks are
/// sorted by host, package and NUMA domain, each as first seen, and by rank; as many tensor groups
/// as can be are cut inside a domain, of the remaining ranks as many as can be inside a package,
/// then inside a host; of the groups, replicas are cut alike. Rank 0 stays first. A pure function:
/// every rank comes to the same order. `places` has a multiple of pipeline_ranks * tensor_ranks.
std::vector<int> order_of(const std::vector<RankPlace>& places, int pipeline_ranks,
                          int tensor_ranks);

/// The ranks of a job in the order of its grid.
struct Placement {
  std::vector<int> order;         ///< place in the grid -> rank of the world
  std::vector<RankPlace> places;  ///< in the order of the grid
  std::string note;               ///< one line where ranks are renumbered; else empty
  std::string warning;            ///< one line where tensor groups are spread; else empty
};
Placement place_ranks(const std::vector<RankPlace>& places, int pipeline_ranks, int tensor_ranks);
/// One line for each rank of the grid, then note and warning.
std::string to_text(const Placement& placement);

/// The ranks of `world`, each at its place of `order`. Collective.
std::unique_ptr<Communicator> in_order(Communicator& world, const std::vector<int>& order);

/// What hwloc says of this process: the union of its threads' CPUs, and the domains its memory is
/// bound to, else those of the CPUs. `gpu`: PCI address of its device, or empty.
RankPlace read_place(const std::string& gpu);
/// The places of all ranks. Collective.
std::vector<RankPlace> gather_places(Communicator& world, const RankPlace& mine);

}  // namespace vlmark::parallel
