#include "src/plan/dependencies.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>

namespace vlmark::plan {
namespace {

/// Per lane the latest action that is known to have ended; -1: none.
struct Known {
  std::array<int, kLanes> last;

  Known() { last.fill(-1); }
  void merge(const Known& other) {
    for (int l = 0; l < kLanes; ++l) last[l] = std::max(last[l], other.last[l]);
  }
};

int lane_of(const Action& action) { return static_cast<int>(action.lane); }

/// Who touched a buffer last.
struct Touched {
  int writer = -1;
  Known readers;  // since that write
};

/// A set of the actions before one.
class Earlier {
 public:
  explicit Earlier(std::size_t actions) : words_(actions / 64 + 1) {}
  bool contains(int action) const {
    return (words_[static_cast<std::size_t>(action) / 64] >> (action % 64) & 1) != 0;
  }
  void add(int action) {
    words_[static_cast<std::size_t>(action) / 64] |= std::uint64_t{1} << (action % 64);
  }
  void add(const Earlier& other) {  // of an earlier action
    for (std::size_t w = 0; w < other.words_.size(); ++w) words_[w] |= other.words_[w];
  }

 private:
  std::vector<std::uint64_t> words_;
};

}  // namespace

Waits dependencies(const Schedule& schedule) {
  Waits waits(schedule.size());
  std::vector<Known> ended(schedule.size());  // what is known to have ended when an action ends
  std::array<Known, kLanes> lanes;
  std::map<BufferId, Touched> buffers;
  for (int i = 0; i < static_cast<int>(schedule.size()); ++i) {
    const Action& action = schedule[static_cast<std::size_t>(i)];
    std::vector<int> candidates;
    for (const BufferId buffer : action.reads) candidates.push_back(buffers[buffer].writer);
    for (const BufferId buffer : action.writes) {
      const Touched& touched = buffers[buffer];
      candidates.push_back(touched.writer);
      candidates.insert(candidates.end(), touched.readers.last.begin(), touched.readers.last.end());
    }
    // The latest first: it implies the most.
    std::sort(candidates.begin(), candidates.end(), std::greater<>());
    Known& known = lanes[static_cast<std::size_t>(lane_of(action))];
    for (const int other : candidates) {
      if (other < 0) break;
      const int lane = lane_of(schedule[static_cast<std::size_t>(other)]);
      if (lane == lane_of(action) || known.last[static_cast<std::size_t>(lane)] >= other) continue;
      waits[static_cast<std::size_t>(i)].push_back(other);
      known.merge(ended[static_cast<std::size_t>(other)]);
    }
    known.last[static_cast<std::size_t>(lane_of(action))] = i;
    ended[static_cast<std::size_t>(i)] = known;
    for (const BufferId buffer : action.reads)
      buffers[buffer].readers.last[static_cast<std::size_t>(lane_of(action))] = i;
    for (const BufferId buffer : action.writes) buffers[buffer] = {i, {}};
  }
  return waits;
}

std::vector<std::string> unordered(const Schedule& schedule, const Waits& waits) {
  struct Access {
    int action;
    bool writes;
  };
  std::map<BufferId, std::vector<Access>> accesses;
  std::vector<Earlier> before;  // [action]: what ends before it starts
  std::array<int, kLanes> last;
  last.fill(-1);
  for (int i = 0; i < static_cast<int>(schedule.size()); ++i) {
    const auto at = static_cast<std::size_t>(i);
    Earlier& mine = before.emplace_back(at);
    std::vector<int> direct = waits[at];
    int& previous = last[static_cast<std::size_t>(lane_of(schedule[at]))];
    if (previous >= 0) direct.push_back(previous);
    previous = i;
    for (const int other : direct) {
      if (mine.contains(other)) continue;
      mine.add(before[static_cast<std::size_t>(other)]);
      mine.add(other);
    }
    for (const BufferId buffer : schedule[at].reads) accesses[buffer].push_back({i, false});
    for (const BufferId buffer : schedule[at].writes) accesses[buffer].push_back({i, true});
  }
  std::vector<std::string> problems;
  for (const auto& [buffer, list] : accesses)
    for (std::size_t b = 1; b < list.size(); ++b)
      for (std::size_t a = 0; a < b; ++a) {
        const auto first = static_cast<std::size_t>(list[a].action),
                   second = static_cast<std::size_t>(list[b].action);
        if (first == second || !(list[a].writes || list[b].writes) ||
            before[second].contains(list[a].action))
          continue;
        problems.push_back(to_string(schedule[second]) + " on lane " +
                           name_of(schedule[second].lane) + " does not wait for " +
                           to_string(schedule[first]) + " on lane " +
                           name_of(schedule[first].lane) + ": both touch " + to_string(buffer));
      }
  return problems;
}

}  // namespace vlmark::plan
