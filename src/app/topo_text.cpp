#include "src/app/topo_text.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "parallel/binding.hpp"

namespace vlmark::app {
namespace {

using nlohmann::ordered_json;
using parallel::RankPlace;
using parallel::TopologyObject;

bool is_cache(const TopologyObject& object) { return object.type.starts_with("L"); }

std::string size_of(const TopologyObject& object) {
  if (object.bytes == 0) return "";
  if (object.type == "NUMANode")
    return fmt::format(" {:.1f} GB", static_cast<double>(object.bytes) * 1e-9);
  return fmt::format(" {} KiB", object.bytes >> 10);
}

std::string title(const TopologyObject& object) {
  const std::string index =
      object.index >= 0 && !is_cache(object) ? " " + std::to_string(object.index) : "";
  return object.type + index + size_of(object) + (object.name.empty() ? "" : " " + object.name);
}

/// The object, or what it holds alone, down to a core: a cache that no two cores share.
const TopologyObject* only_core(const TopologyObject& object) {
  if (object.type == "Core") return &object;
  if (!is_cache(object) || object.children.size() != 1) return nullptr;
  return only_core(object.children.front());
}

std::string core_line(const TopologyObject& object) {
  std::string caches;
  const TopologyObject* at = &object;
  for (; at->type != "Core"; at = &at->children.front()) caches += ", " + title(*at);
  return title(*at) + " (PUs " + at->cpus + ")" + caches;
}

void print(const TopologyObject& object, int depth, std::string& text) {
  const std::string indent(static_cast<std::size_t>(2 * depth), ' ');
  if (only_core(object)) {
    text += indent + core_line(object) + "\n";
    return;
  }
  const bool pus = !object.cpus.empty() && object.type != "PU" && object.type != "NUMANode";
  text += indent + title(object) + (pus ? " (PUs " + object.cpus + ")" : "") + "\n";
  for (const TopologyObject& child : object.children) print(child, depth + 1, text);
}

int count(const TopologyObject& object, const std::string& type) {
  int found = object.type == type;
  for (const TopologyObject& child : object.children) found += count(child, type);
  return found;
}

std::string plural(int n, const std::string& what) {
  return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
}

ordered_json to_json(const TopologyObject& object) {
  ordered_json json{{"type", object.type}};
  if (!object.name.empty()) json["name"] = object.name;
  if (object.index >= 0) json["index"] = object.index;
  if (object.bytes > 0) json["bytes"] = object.bytes;
  if (!object.cpus.empty()) json["pus"] = object.cpus;
  if (object.children.empty()) return json;
  json["children"] = ordered_json::array();
  for (const TopologyObject& child : object.children) json["children"].push_back(to_json(child));
  return json;
}

/// How a rank is bound: as planned, or what is not so. [rank]
std::vector<std::string> findings_of(const std::vector<RankPlace>& places) {
  std::vector<std::string> found;
  for (const RankPlace& place : places)
    found.push_back(parallel::unknown_bindings({place}) > 0 ? "unknown" : "as planned");
  for (const auto& problem : parallel::binding_problems(places))
    found[static_cast<std::size_t>(problem.rank)] = problem.text;
  return found;
}

std::string cores_of(const RankPlace& place) {
  if (place.cores.empty()) return "unknown";
  return (place.cores.size() == 1 ? "core " : "cores ") + parallel::ranges_of(place.cores);
}

std::string shown(const std::string& text) { return text.empty() ? "unknown" : text; }

}  // namespace

std::string topology_text(const parallel::Topology& topology) {
  const TopologyObject& machine = topology.machine;
  std::string text;
  print(machine, 0, text);
  text += plural(count(machine, "Package"), "package") + ", " +
          plural(count(machine, "NUMANode"), "NUMA node") + ", " +
          plural(count(machine, "Core"), "core") + ", " + plural(count(machine, "PU"), "PU") +
          ", " + plural(count(machine, "GPU") + count(machine, "CoProc"), "GPU object") + ", " +
          plural(count(machine, "Net") + count(machine, "OpenFabrics"), "network object") + "\n";
  return text + "topology: " +
         (topology.missing.empty() ? "complete" : "partial (" + topology.missing + ")") + "\n";
}

std::string binding_text(const std::vector<RankPlace>& places) {
  const std::vector<std::string> findings = findings_of(places);
  std::size_t host = 4, cpus = 4;
  for (const RankPlace& place : places) {
    host = std::max(host, place.host.size());
    cpus = std::max(cpus, place.cpus.size());
  }
  std::string text = fmt::format("{:>4}  {:<{}}  {:<{}}  {:<6}  {:<14}  {}\n", "rank", "host", host,
                                 "PUs", cpus, "NUMA", "planned", "actual");
  for (std::size_t r = 0; r < places.size(); ++r) {
    const RankPlace& place = places[r];
    text += fmt::format("{:>4}  {:<{}}  {:<{}}  {:<6}  {:<14}  {}: {}\n", r, place.host, host,
                        shown(place.cpus), cpus, shown(parallel::ranges_of(place.numa)),
                        plural(place.threads, "core"), cores_of(place), findings[r]);
  }
  return text;
}

std::string topology_json(const parallel::Topology& topology,
                          const std::vector<RankPlace>& places) {
  ordered_json json{{"topology", topology.missing.empty() ? "complete" : "partial"},
                    {"missing", topology.missing},
                    {"machine", to_json(topology.machine)}};
  if (places.empty()) return json.dump();
  const std::vector<std::string> findings = findings_of(places);
  json["ranks"] = ordered_json::array();
  for (std::size_t r = 0; r < places.size(); ++r) {
    const RankPlace& place = places[r];
    json["ranks"].push_back({{"rank", r},
                             {"host", place.host},
                             {"pus", place.cpus},
                             {"cores", place.cores},
                             {"numa", place.numa},
                             {"planned_cores", place.threads},
                             {"binding", findings[r]}});
  }
  return json.dump();
}

}  // namespace vlmark::app
