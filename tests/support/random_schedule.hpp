#pragma once

#include <cstdint>

#include "src/base/philox.hpp"
#include "src/plan/schedule.hpp"

namespace vlmark::test {

/// `actions` actions on random lanes, each of which reads and writes a few of `buffers` buffers.
/// Action i has micro-batch i.
inline plan::Schedule random_schedule(std::uint64_t seed, int actions, int buffers) {
  const Philox random(seed, "random schedule");
  std::uint64_t draws = 0;
  const auto below = [&](int bound) {
    return static_cast<int>(random.below(draws++, static_cast<std::uint64_t>(bound)));
  };
  const auto some = [&](int most) {
    std::vector<plan::BufferId> ids;
    for (int n = below(most + 1); n > 0; --n)
      ids.push_back({plan::BufferId::Kind::activation, below(buffers)});
    return ids;
  };
  plan::Schedule schedule;
  for (int i = 0; i < actions; ++i) {
    const auto lane = static_cast<plan::Lane>(below(plan::kLanes));
    schedule.push_back({plan::ActionKind::forward, lane, i, -1, -1, -1, some(3), some(2)});
  }
  return schedule;
}

}  // namespace vlmark::test
