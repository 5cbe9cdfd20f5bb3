#include "src/plan/arena.hpp"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "src/base/philox.hpp"

namespace vlmark::plan {
namespace {

TEST(Arena, NeverHandsOutTheSameByteTwice) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Philox random(seed, "arena test");
    Arena arena;
    std::map<std::int64_t, std::int64_t> live;  // offset -> bytes asked for
    std::int64_t largest_end = 0;
    for (std::uint64_t i = 0; i < 2000; ++i) {
      if (live.empty() || random.below(2 * i, 5) < 3) {
        const auto bytes = static_cast<std::int64_t>(random.below(2 * i + 1, 5000));
        const std::int64_t offset = arena.acquire(bytes);
        EXPECT_EQ(offset % Arena::alignment, 0);
        const auto next = live.lower_bound(offset);
        if (next != live.end()) {
          ASSERT_LE(offset + bytes, next->first);
        }
        if (next != live.begin()) {
          const auto before = std::prev(next);
          ASSERT_LE(before->first + std::max<std::int64_t>(before->second, 1), offset);
        }
        live[offset] = bytes;
        largest_end = std::max(largest_end, offset + bytes);
      } else {
        const auto it =
            std::next(live.begin(), static_cast<long>(random.below(2 * i + 1, live.size())));
        arena.release(it->first);
        live.erase(it);
      }
      EXPECT_GE(arena.high_water(), largest_end);
    }
    for (const auto& [offset, bytes] : live) arena.release(offset);
    EXPECT_EQ(arena.used(), 0);
    // Everything is one free block again: a request as large as the high water fits at 0.
    EXPECT_EQ(arena.acquire(arena.high_water()), 0);
  }
}

TEST(Arena, SameCallsGiveTheSamePlaces) {
  const auto places = [] {
    Arena arena;
    std::vector<std::int64_t> p{arena.acquire(1000), arena.acquire(3), arena.acquire(256)};
    arena.release(p[1]);
    p.push_back(arena.acquire(200));
    p.push_back(arena.acquire(600));
    return p;
  };
  EXPECT_EQ(places(), places());
  EXPECT_EQ(places(), (std::vector<std::int64_t>{0, 1024, 1280, 1024, 1536}));
}

}  // namespace
}  // namespace vlmark::plan
