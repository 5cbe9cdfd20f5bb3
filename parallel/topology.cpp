#include "parallel/topology.hpp"

#include <algorithm>
#include <sstream>

#include "parallel/hwloc_handle.hpp"
#include "src/base/error.hpp"

namespace vlmark::parallel {
namespace {

/// Infos of hwloc that say what an object is. Others name the machine, its disks and network cards,
/// the process or its control group.
constexpr const char* kInfos[] = {
    "Architecture", "Backend",   "CPUFamilyNumber", "CPUModel",  "CPUModelNumber", "CPUStepping",
    "CPUVendor",    "GPUModel",  "GPUVendor",       "Inclusive", "MemoryMode",     "OSName",
    "OSRelease",    "PCIDevice", "PCIVendor",       "Type",      "hwlocVersion"};

void require_loaded(const HwlocTopology& topology) {
  if (!topology.loaded())
    throw IoError(
        "topology: hwloc cannot read this machine (nothing says where memory and cores lie). Check "
        "that /proc and /sys are mounted");
}

std::string info(hwloc_obj_t object, const char* name) {
  const char* value = hwloc_obj_get_info_by_name(object, name);
  return value ? value : "";
}

std::string type_of(hwloc_obj_t object) {
  char text[64];
  if (object->type == HWLOC_OBJ_PCI_DEVICE) return "PCI";
  if (object->type == HWLOC_OBJ_OS_DEVICE) {
    switch (object->attr->osdev.type) {
      case HWLOC_OBJ_OSDEV_GPU:
        return "GPU";
      case HWLOC_OBJ_OSDEV_COPROC:
        return "CoProc";
      case HWLOC_OBJ_OSDEV_NETWORK:
        return "Net";
      case HWLOC_OBJ_OSDEV_OPENFABRICS:
        return "OpenFabrics";
      default:
        break;
    }
  }
  hwloc_obj_type_snprintf(text, sizeof text, object, 0);
  return text;
}

std::string pci_address(hwloc_obj_t object) {
  const auto& pci = object->attr->pcidev;
  char text[32];
  std::snprintf(text, sizeof text, "%04x:%02x:%02x.%x", static_cast<unsigned>(pci.domain),
                static_cast<unsigned>(pci.bus), static_cast<unsigned>(pci.dev),
                static_cast<unsigned>(pci.func));
  return text;
}

TopologyObject object_of(hwloc_obj_t object);

void add_device(hwloc_obj_t device, std::vector<TopologyObject>& to) {
  if (device->type != HWLOC_OBJ_BRIDGE) {
    to.push_back(object_of(device));
    return;
  }
  for (hwloc_obj_t below = device->io_first_child; below; below = below->next_sibling)
    add_device(below, to);
}

TopologyObject object_of(hwloc_obj_t object) {
  TopologyObject found;
  found.type = type_of(object);
  if (object->name) found.name = object->name;
  if (object->type == HWLOC_OBJ_PCI_DEVICE) {
    const std::string model = info(object, "PCIDevice");
    found.name = pci_address(object) + (model.empty() ? "" : " " + model);
  }
  if (object->type == HWLOC_OBJ_PACKAGE) found.name = info(object, "CPUModel");
  if (object->os_index != HWLOC_UNKNOWN_INDEX) found.index = static_cast<int>(object->os_index);
  if (object->type == HWLOC_OBJ_NUMANODE) found.bytes = object->attr->numanode.local_memory;
  if (hwloc_obj_type_is_cache(object->type)) found.bytes = object->attr->cache.size;
  found.cpus = list_of(object->cpuset);
  for (hwloc_obj_t c = object->memory_first_child; c; c = c->next_sibling)
    found.children.push_back(object_of(c));
  for (hwloc_obj_t c = object->first_child; c; c = c->next_sibling)
    found.children.push_back(object_of(c));
  for (hwloc_obj_t c = object->io_first_child; c; c = c->next_sibling)
    add_device(c, found.children);
  return found;
}

/// PCI base classes: 0x02 network, 0x03 display, 0x12 accelerator.
const char* word_of_class(unsigned pci_class) {
  switch (pci_class >> 8) {
    case 0x02:
      return "network card";
    case 0x03:
    case 0x12:
      return "GPU";
    default:
      return nullptr;
  }
}

/// Whether the device has an object that the system (or a vendor's library) calls by a name of its
/// own: for a GPU its GPU or co-processor.
bool has_system_name(hwloc_obj_t device, bool gpu) {
  for (hwloc_obj_t below = device->io_first_child; below; below = below->next_sibling) {
    if (below->type != HWLOC_OBJ_OS_DEVICE) continue;
    const auto type = below->attr->osdev.type;
    if (gpu ? type == HWLOC_OBJ_OSDEV_GPU || type == HWLOC_OBJ_OSDEV_COPROC
            : type == HWLOC_OBJ_OSDEV_NETWORK || type == HWLOC_OBJ_OSDEV_OPENFABRICS)
      return true;
  }
  return false;
}

std::string missing_in(hwloc_topology_t topology) {
  std::string missing;
  const auto add = [&missing](const std::string& what) {
    missing += (missing.empty() ? "no " : ", no ") + what;
  };
  if (hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_PACKAGE) < 1) add("packages");
  if (hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_CORE) < 1) add("cores");
  if (hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_PCI_DEVICE) < 1) add("PCI devices");
  hwloc_obj_t device = nullptr;
  while ((device = hwloc_get_next_pcidev(topology, device))) {
    const char* word = word_of_class(device->attr->pcidev.class_id);
    if (word && !has_system_name(device, word == std::string("GPU")))
      add("OS device of " + std::string(word) + " " + pci_address(device));
  }
  return missing;
}

/// Keeps of the lines `<info name="..." .../>` those that are allowed.
std::string with_allowed_infos(const std::string& xml) {
  std::istringstream lines(xml);
  std::string kept;
  for (std::string line; std::getline(lines, line);) {
    const std::string key = "<info name=\"";
    const std::size_t at = line.find(key);
    if (at != std::string::npos) {
      const std::size_t begin = at + key.size();
      const std::string name = line.substr(begin, line.find('"', begin) - begin);
      if (std::find(std::begin(kInfos), std::end(kInfos), name) == std::end(kInfos)) continue;
    }
    kept += line + "\n";
  }
  return kept;
}

}  // namespace

Topology read_topology(const TopologySource& source) {
  const HwlocTopology topology(source);
  require_loaded(topology);
  return {object_of(hwloc_get_root_obj(topology.get())), missing_in(topology.get())};
}

std::string topology_xml(const TopologySource& source) {
  const HwlocTopology topology(source);
  require_loaded(topology);
  char* buffer = nullptr;
  int length = 0;
  if (hwloc_topology_export_xmlbuffer(topology.get(), &buffer, &length, 0) != 0)
    throw IoError(
        "topology: hwloc cannot write its XML (the record would have none). Check the installation "
        "of hwloc");
  const std::string xml(buffer, static_cast<std::size_t>(std::max(length - 1, 0)));
  hwloc_free_xmlbuffer(topology.get(), buffer);
  return with_allowed_infos(xml);
}

}  // namespace vlmark::parallel
