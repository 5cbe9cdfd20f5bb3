#include <cstdlib>
#include <sstream>

#include "parallel/gather.hpp"
#include "parallel/hwloc_handle.hpp"
#include "parallel/phase.hpp"
#include "parallel/placement.hpp"

namespace vlmark::parallel {
namespace {

/// Threads that this process will run kernels on, unless it is told otherwise.
int threads_of(int cpus) {
  for (const char* name : {"KOKKOS_NUM_THREADS", "OMP_NUM_THREADS"}) {
    const char* value = std::getenv(name);
    if (value && std::atoi(value) > 0) return std::atoi(value);  // of "4,2" the outer level
  }
  return cpus;
}

void add_missing(RankPlace& place, const char* what) {
  place.missing += (place.missing.empty() ? "no " : ", no ") + std::string(what);
}

void read_host(hwloc_topology_t topology, RankPlace& place) {
  const HwlocBitmap cpus, nodes;
  // The threads of a process may be bound one by one: the flag asks for the union.
  if (hwloc_get_cpubind(topology, cpus, HWLOC_CPUBIND_PROCESS) != 0) {
    add_missing(place, "CPU binding");
    return;
  }
  place.cpus = list_of(cpus);
  place.threads = threads_of(hwloc_bitmap_weight(cpus));
  for (hwloc_obj_t core = nullptr;
       (core = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_CORE, core));)
    if (hwloc_bitmap_intersects(core->cpuset, cpus))
      place.cores.push_back(static_cast<int>(core->logical_index));
  const hwloc_topology_support* can = hwloc_topology_get_support(topology);
  place.binds = can->cpubind->set_thisproc_cpubind != 0;
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
  const HwlocTopology topology;
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
                           mine.missing + "\n" + list(mine.cores) + "\n" +
                           list(std::vector<int>{mine.threads, mine.binds}) + "\n";
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
    place.cores = list(line());
    const std::vector<int> numbers = list(line());
    place.threads = numbers.at(0);
    place.binds = numbers.at(1) != 0;
    places.push_back(std::move(place));
  }
  return places;
}

}  // namespace vlmark::parallel
