#include "parallel/placement.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <tuple>

#include "src/base/contracts.hpp"

namespace vlmark::parallel {
namespace {

using Ranks = std::vector<int>;

std::string joined(const std::vector<int>& values) {
  std::string text;
  for (const int value : values) text += (text.empty() ? "" : ",") + std::to_string(value);
  return text;
}

/// For each level, from the innermost: the number of every rank's domain, package and host as first
/// seen, and last what all share.
std::vector<Ranks> keys_of(const std::vector<RankPlace>& places) {
  std::vector<Ranks> keys(4);
  std::vector<std::map<std::string, int>> seen(keys.size());
  for (const RankPlace& p : places) {
    const std::string package = p.host + "/" + joined(p.packages);
    const std::string names[] = {package + "/" + joined(p.domains()), package, p.host, ""};
    for (std::size_t level = 0; level < keys.size(); ++level)
      keys[level].push_back(
          seen[level].emplace(names[level], static_cast<int>(seen[level].size())).first->second);
  }
  return keys;
}

/// Joins `count` units at a time, where they can be inside one domain there, then of the others
/// inside one package, and so on. Units and what comes of them are sorted.
std::vector<Ranks> joined_near(std::vector<Ranks> units, int count,
                               const std::vector<Ranks>& keys) {
  std::vector<Ranks> result;
  for (const Ranks& key : keys) {
    std::map<int, std::vector<Ranks>> inside;
    std::vector<Ranks> left;
    for (Ranks& unit : units) {
      const int first = key[static_cast<std::size_t>(unit[0])];
      const bool together = std::all_of(unit.begin(), unit.end(), [&](int rank) {
        return key[static_cast<std::size_t>(rank)] == first;
      });
      (together ? inside[first] : left).push_back(std::move(unit));
    }
    for (auto& [place, found] : inside) {
      const std::size_t n = static_cast<std::size_t>(count), whole = found.size() / n * n;
      for (std::size_t i = 0; i < found.size(); ++i) {
        if (i >= whole)
          left.push_back(std::move(found[i]));
        else if (i % n == 0)
          result.push_back(std::move(found[i]));
        else
          result.back().insert(result.back().end(), found[i].begin(), found[i].end());
      }
    }
    std::sort(left.begin(), left.end());
    units = std::move(left);
  }
  std::sort(result.begin(), result.end());
  return result;
}

/// What the ranks [first, first + count) of the grid lie on.
struct Extent {
  std::set<std::string> hosts;
  std::set<int> domains;
};
Extent extent_of(const std::vector<RankPlace>& places, const Ranks& order, int first, int count) {
  Extent extent;
  for (int i = first; i < first + count; ++i) {
    const RankPlace& place = places[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])];
    extent.hosts.insert(place.host);
    extent.domains.insert(place.domains().begin(), place.domains().end());
  }
  return extent;
}

std::string warning_of(const std::vector<RankPlace>& places, const Ranks& order, int pipeline_ranks,
                       int tensor_ranks) {
  const Spread spread = spread_of(places, order, pipeline_ranks, tensor_ranks);
  const bool over_hosts = spread.tensor_over_hosts > 0;
  const int count = over_hosts ? spread.tensor_over_hosts : spread.tensor_over_domains;
  if (count == 0) return "";
  const int ranks = static_cast<int>(order.size());
  Extent found;
  int first = -tensor_ranks;
  do {
    first += tensor_ranks;
    found = extent_of(places, order, first, tensor_ranks);
  } while (over_hosts ? found.hosts.size() == 1
                      : found.hosts.size() > 1 || found.domains.size() < 2);
  std::string where;
  if (over_hosts)
    for (const std::string& host : found.hosts) where += (where.empty() ? "" : ", ") + host;
  else
    where =
        *found.hosts.begin() + ", domains " + joined({found.domains.begin(), found.domains.end()});
  return "placement: " + std::to_string(count) + " of " + std::to_string(ranks / tensor_ranks) +
         " tensor groups lie on several " + (over_hosts ? "hosts" : "NUMA domains") +
         ", the first of ranks " + std::to_string(first) + " to " +
         std::to_string(first + tensor_ranks - 1) + " on " + where +
         " (every product of a layer waits for what they exchange). " +
         (over_hosts ? "Start a multiple of tp ranks on each host, or use a smaller tp"
                     : "Bind ranks to domains, a multiple of tp on each (mpiexec --map-by numa "
                       "--bind-to numa), or use a smaller tp");
}

}  // namespace

Spread spread_of(const std::vector<RankPlace>& places, const std::vector<int>& order,
                 int pipeline_ranks, int tensor_ranks) {
  const int ranks = static_cast<int>(order.size()), replica = pipeline_ranks * tensor_ranks;
  Spread spread;
  for (int first = 0; first < ranks; first += tensor_ranks) {
    if (tensor_ranks == 1) break;  // no group: a rank's own memory is its own affair
    const Extent extent = extent_of(places, order, first, tensor_ranks);
    if (extent.hosts.size() > 1)
      ++spread.tensor_over_hosts;
    else if (extent.domains.size() > 1)
      ++spread.tensor_over_domains;
  }
  for (int first = 0; first < ranks; first += replica)
    if (extent_of(places, order, first, replica).hosts.size() > 1) ++spread.stages_over_hosts;
  return spread;
}

std::vector<int> order_of(const std::vector<RankPlace>& places, int pipeline_ranks,
                          int tensor_ranks) {
  expects(places.size() % static_cast<std::size_t>(pipeline_ranks * tensor_ranks) == 0);
  std::vector<int> given(places.size());
  std::iota(given.begin(), given.end(), 0);
  const std::vector<Ranks> keys = keys_of(places);
  std::vector<int> sorted = given;
  std::sort(sorted.begin(), sorted.end(), [&keys](int a, int b) {
    const auto key = [&keys](int rank) {
      const auto r = static_cast<std::size_t>(rank);
      return std::tuple(keys[2][r], keys[1][r], keys[0][r], rank);
    };
    return key(a) < key(b);
  });
  // From here on ranks are called by their place in `sorted`.
  std::vector<Ranks> sorted_keys;
  for (const Ranks& key : keys) {
    sorted_keys.emplace_back();
    for (const int rank : sorted) sorted_keys.back().push_back(key[static_cast<std::size_t>(rank)]);
  }
  std::vector<Ranks> units;
  for (const int rank : given) units.push_back({rank});
  const std::vector<Ranks> groups = joined_near(std::move(units), tensor_ranks, sorted_keys);
  std::vector<int> near;
  for (const Ranks& replica : joined_near(groups, pipeline_ranks, sorted_keys))
    for (const int rank : replica) near.push_back(sorted[static_cast<std::size_t>(rank)]);
  const auto spread = [&](const std::vector<int>& order) {
    return spread_of(places, order, pipeline_ranks, tensor_ranks);
  };
  return spread(near) < spread(given) ? near : given;
}

Placement place_ranks(const std::vector<RankPlace>& places, int pipeline_ranks, int tensor_ranks) {
  Placement placement;
  placement.order = order_of(places, pipeline_ranks, tensor_ranks);
  for (const int rank : placement.order)
    placement.places.push_back(places[static_cast<std::size_t>(rank)]);
  if (!std::is_sorted(placement.order.begin(), placement.order.end()))
    placement.note =
        "placement: ranks are renumbered so that tensor groups and stages are neighbours; messages "
        "and record count in the new order, provenance/placement of the record has both";
  placement.warning = warning_of(places, placement.order, pipeline_ranks, tensor_ranks);
  return placement;
}

std::string to_text(const Placement& placement) {
  std::string text;
  const auto named = [](const char* name, const std::string& value) {
    return std::string(" ") + name + " " + (value.empty() ? "unknown" : value);
  };
  for (std::size_t i = 0; i < placement.order.size(); ++i) {
    const RankPlace& p = placement.places[i];
    text += "rank " + std::to_string(i) + " launched " + std::to_string(placement.order[i]) +
            named("host", p.host) + named("package", joined(p.packages)) +
            named("numa", joined(p.numa)) + named("cpus", p.cpus);
    if (!p.gpu.empty()) text += named("gpu", p.gpu) + named("gpu_numa", joined(p.gpu_numa));
    text += p.missing.empty() ? " topology complete\n" : " topology partial (" + p.missing + ")\n";
  }
  for (const std::string& line : {placement.note, placement.warning})
    if (!line.empty()) text += line + "\n";
  return text;
}

std::unique_ptr<Communicator> in_order(Communicator& world, const std::vector<int>& order) {
  const auto mine = std::find(order.begin(), order.end(), world.rank());
  expects(mine != order.end());
  return world.split(0, static_cast<int>(mine - order.begin()));
}

}  // namespace vlmark::parallel
