#include "parallel/hwloc_handle.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "src/base/error.hpp"

namespace vlmark::parallel {

HwlocTopology::HwlocTopology(const TopologySource& source) {
  if (hwloc_topology_init(&topology_) != 0) {
    topology_ = nullptr;
    return;
  }
  // Else PCI devices are left out.
  hwloc_topology_set_io_types_filter(topology_, HWLOC_TYPE_FILTER_KEEP_IMPORTANT);
  const auto refused = [this] {
    const std::string reason = std::strerror(errno);
    hwloc_topology_destroy(topology_);
    return reason;
  };
  if (!source.synthetic.empty() &&
      hwloc_topology_set_synthetic(topology_, source.synthetic.c_str()) != 0)
    throw ConfigError("'" + source.synthetic +
                      "': is no description of a machine (hwloc: " + refused() +
                      "). Write levels from the outside in, for example \"pack:2 "
                      "core:8 pu:2\"");
  const bool file = !source.file.empty();
  if (file && hwloc_topology_set_xml(topology_, source.file.c_str()) != 0)
    throw IoError(
        source.file + ": is no topology of hwloc (" + refused() +
        "). Give the topology.xml of a results folder, or what `vlmark topo --xml` writes");
  loaded_ = hwloc_topology_load(topology_) == 0;
  if (!loaded_ && (file || !source.synthetic.empty()))
    throw IoError((file ? source.file : source.synthetic) + ": hwloc cannot load this topology (" +
                  refused() +
                  "). Give the topology.xml of a results folder, or what `vlmark topo "
                  "--xml` writes");
}

HwlocTopology::~HwlocTopology() {
  if (topology_) hwloc_topology_destroy(topology_);
}

std::string list_of(hwloc_const_bitmap_t set) {
  char* list = nullptr;
  if (!set || hwloc_bitmap_list_asprintf(&list, set) < 0) return "";
  std::string copy = list;
  std::free(list);
  return copy;
}

std::vector<int> HwlocBitmap::values() const {
  std::vector<int> found;
  for (int i = hwloc_bitmap_first(set_); i >= 0; i = hwloc_bitmap_next(set_, i)) found.push_back(i);
  return found;
}

}  // namespace vlmark::parallel
