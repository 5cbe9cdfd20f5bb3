#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vlmark::parallel {

/// Where a topology comes from; both empty: the machine this process runs on.
struct TopologySource {
  std::string file;       ///< hwloc's XML
  std::string synthetic;  ///< hwloc's description of a made-up machine: "pack:2 numa:1 core:8 pu:2"
};

/// One object of hwloc's tree.
struct TopologyObject {
  std::string type;         ///< hwloc's word: "Package", "NUMANode", "L3", "Core", "PU", "PCI", ...
  std::string name;         ///< of a device or a model; may be empty
  int index = -1;           ///< as the system numbers it; -1: it does not
  std::uint64_t bytes = 0;  ///< memory of a NUMA node, size of a cache
  std::string cpus;         ///< PUs below it, "0-3"; empty for devices
  /// Memory first, then what it consists of, then devices (bridges are left out).
  std::vector<TopologyObject> children;
};

struct Topology {
  TopologyObject machine;
  /// What hwloc does not know of the machine, in words; empty: nothing. A PCI device without the
  /// system's own object for it counts: then nobody can say which of the system's names it has.
  std::string missing;
};

/// Throws IoError where the machine or the file cannot be read, ConfigError where the description is
/// none.
Topology read_topology(const TopologySource& source);

/// hwloc's XML of it, with what identifies the machine or a process left out: only what says where
/// things lie. Throws as read_topology.
std::string topology_xml(const TopologySource& source);

}  // namespace vlmark::parallel
