#include <hwloc.h>

#include <sstream>

#include "parallel/gather.hpp"
#include "parallel/phase.hpp"
#include "parallel/placement.hpp"

namespace vlmark::parallel {
namespace {

class Topology {
 public:
  Topology() {
    if (hwloc_topology_init(&topology_) != 0) {
      topology_ = nullptr;
      return;
    }
    // Else PCI devices are left out.
    hwloc_topology_set_io_types_filter(topology_, HWLOC_TYPE_FILTER_KEEP_IMPORTANT);
    loaded_ = hwloc_topology_load(topology_) == 0;
  }
  ~Topology() {
    if (topology_) hwloc_topology_destroy(topology_);
  }
  Topology(const Topology&) = delete;
  Topology& operator=(const Topology&) = delete;

  bool loaded() const { return loaded_; }
  hwloc_topology_t get() const { return topology_; }

 private:
  hwloc_topology_t topology_ = nullptr;
  bool loaded_ = false;
};

class Bitmap {
 public:
  ~Bitmap() { hwloc_bitmap_free(set_); }
  Bitmap() = default;
  Bitmap(const Bitmap&) = delete;
  Bitmap& operator=(const Bitmap&) = delete;

  operator hwloc_bitmap_t() const { return set_; }
  std::vector<int> values() const {
    std::vector<int> found;
    for (int i = hwloc_bitmap_first(set_); i >= 0; i = hwloc_bitmap_next(set_, i))
      found.push_back(i);
    return found;
  }
  /// "0-3,8".
  std::string text() const {
    char* list = nullptr;
    if (hwloc_bitmap_list_asprintf(&list, set_) < 0) return "";
    std::string copy = list;
    free(list);
    return copy;
  }

 private:
  hwloc_bitmap_t set_ = hwloc_bitmap_alloc();
};

void add_missing(RankPlace& place, const char* what) {
  place.missing += (place.missing.empty() ? "no " : ", no ") + std::string(what);
}

void read_host(hwloc_topology_t topology, RankPlace& place) {
  const Bitmap cpus, nodes;
  // The threads of a process may be bound one by one: the flag asks for the union.
  if (hwloc_get_cpubind(topology, cpus, HWLOC_CPUBIND_PROCESS) != 0) {
    add_missing(place, "CPU binding");
    return;
  }
  place.cpus = cpus.text();
  for (hwloc_obj_t package = nullptr;
       (package = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_PACKAGE, package));)
    if (hwloc_bitmap_intersects(package->cpuset, cpus))
      place.packages.push_back(static_cast<int>(package->os_index));
  hwloc_membind_policy_t policy = HWLOC_MEMBIND_DEFAULT;
  const bool bound = hwloc_get_membind(topology, nodes, &policy,
                                       HWLOC_MEMBIND_THREAD | HWLOC_MEMBIND_BYNODESET) == 0 &&
                     policy == HWLOC_MEMBIND_BIND;
  if (!bound) hwloc_cpuset_to_nodeset(topology, cpus, nodes);
  place.numa = nodes.values();
  if (place.packages.empty()) add_missing(place, "packages");
  if (place.numa.empty()) add_missing(place, "NUMA domains");
}

void read_gpu(hwloc_topology_t topology, RankPlace& place) {
  const hwloc_obj_t device = hwloc_get_pcidev_by_busidstring(topology, place.gpu.c_str());
  if (!device) {
    add_missing(place, "PCI devices");
    return;
  }
  const hwloc_obj_t near = hwloc_get_non_io_ancestor_obj(topology, device);
  for (int i = hwloc_bitmap_first(near->nodeset); i >= 0; i = hwloc_bitmap_next(near->nodeset, i))
    place.gpu_numa.push_back(i);
}

std::string list(const std::vector<int>& values) {
  std::string text;
  for (const int value : values) text += std::to_string(value) + " ";
  return text;
}
std::vector<int> list(const std::string& text) {
  std::istringstream in(text);
  std::vector<int> values;
  for (int value = 0; in >> value;) values.push_back(value);
  return values;
}

}  // namespace

RankPlace read_place(const std::string& gpu) {
  RankPlace place{.host = host_name(), .packages = {}, .numa = {}, .cpus = {}, .gpu = gpu};
  const Topology topology;
  if (!topology.loaded()) {
    add_missing(place, "topology");
    return place;
  }
  read_host(topology.get(), place);
  if (!gpu.empty()) read_gpu(topology.get(), place);
  return place;
}

std::vector<RankPlace> gather_places(Communicator& world, const RankPlace& mine) {
  const std::string text = mine.host + "\n" + list(mine.packages) + "\n" + list(mine.numa) + "\n" +
                           mine.cpus + "\n" + mine.gpu + "\n" + list(mine.gpu_numa) + "\n" +
                           mine.missing + "\n";
  std::vector<RankPlace> places;
  for (const std::string& of_rank : all_gather_strings(world, text)) {
    std::istringstream in(of_rank);
    const auto line = [&in] {
      std::string found;
      std::getline(in, found);
      return found;
    };
    RankPlace place;
    place.host = line();
    place.packages = list(line());
    place.numa = list(line());
    place.cpus = line();
    place.gpu = line();
    place.gpu_numa = list(line());
    place.missing = line();
    places.push_back(std::move(place));
  }
  return places;
}

}  // namespace vlmark::parallel
