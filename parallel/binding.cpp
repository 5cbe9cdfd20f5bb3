#include "parallel/binding.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace vlmark::parallel {
namespace {

bool unknown(const RankPlace& place) { return place.cores.empty() || !place.binds; }

std::string count(std::size_t n, const char* what) {
  return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
}

std::string named(const char* what, const std::vector<int>& numbers) {
  return what + std::string(numbers.size() == 1 ? " " : "s ") + ranges_of(numbers);
}

bool meet(const std::vector<int>& a, const std::vector<int>& b) {
  return std::any_of(a.begin(), a.end(),
                     [&b](int x) { return std::find(b.begin(), b.end(), x) != b.end(); });
}

/// Ranks of one host joined by the cores that they share.
struct Group {
  std::vector<int> ranks;
  std::set<int> cores;
  std::size_t threads = 0;
};

std::vector<Group> groups_of(const std::vector<RankPlace>& places) {
  std::map<std::string, std::vector<Group>> of_host;
  for (std::size_t r = 0; r < places.size(); ++r) {
    const RankPlace& place = places[r];
    if (unknown(place)) continue;
    Group joined{{static_cast<int>(r)},
                 {place.cores.begin(), place.cores.end()},
                 static_cast<std::size_t>(place.threads)};
    std::vector<Group> apart;
    for (Group& group : of_host[place.host]) {
      if (!meet({group.cores.begin(), group.cores.end()}, place.cores)) {
        apart.push_back(std::move(group));
        continue;
      }
      joined.ranks.insert(joined.ranks.end(), group.ranks.begin(), group.ranks.end());
      joined.cores.insert(group.cores.begin(), group.cores.end());
      joined.threads += group.threads;
    }
    apart.push_back(std::move(joined));
    of_host[place.host] = std::move(apart);
  }
  std::vector<Group> all;
  for (auto& [host, groups] : of_host)
    for (Group& group : groups) all.push_back(std::move(group));
  for (Group& group : all) std::sort(group.ranks.begin(), group.ranks.end());
  return all;
}

}  // namespace

std::string ranges_of(const std::vector<int>& numbers) {
  std::string text;
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t last = i;
    while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) ++last;
    text += (text.empty() ? "" : ",") + std::to_string(numbers[i]);
    if (last > i) text += "-" + std::to_string(numbers[last]);
    i = last + 1;
  }
  return text;
}

std::vector<BindingProblem> binding_problems(const std::vector<RankPlace>& places) {
  std::vector<std::string> found(places.size());
  for (const Group& group : groups_of(places)) {
    if (group.ranks.size() == 1 || group.threads <= group.cores.size()) continue;
    const std::string cores = named("core", {group.cores.begin(), group.cores.end()});
    for (const int rank : group.ranks) {
      std::vector<int> others = group.ranks;
      std::erase(others, rank);
      found[static_cast<std::size_t>(rank)] = "shares " + cores + " with " + named("rank", others) +
                                              ": " + count(group.threads, "thread") + " together";
    }
  }
  for (std::size_t r = 0; r < places.size(); ++r) {
    const RankPlace& place = places[r];
    if (unknown(place) || !found[r].empty()) continue;
    if (static_cast<std::size_t>(place.threads) > place.cores.size())
      found[r] = count(static_cast<std::size_t>(place.threads), "thread") + " on " +
                 named("core", place.cores);
    else if (!place.gpu_numa.empty() && !place.numa.empty() && !meet(place.gpu_numa, place.numa))
      found[r] = "memory in " + named("NUMA domain", place.numa) + ", device in " +
                 ranges_of(place.gpu_numa);
  }
  std::vector<BindingProblem> problems;
  for (std::size_t r = 0; r < places.size(); ++r)
    if (!found[r].empty()) problems.push_back({static_cast<int>(r), found[r]});
  return problems;
}

int unknown_bindings(const std::vector<RankPlace>& places) {
  return static_cast<int>(std::count_if(places.begin(), places.end(), unknown));
}

}  // namespace vlmark::parallel
