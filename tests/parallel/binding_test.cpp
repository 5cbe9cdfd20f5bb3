// Rule V9 on made-up machines.

#include "parallel/binding.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vlmark::parallel {
namespace {

using testing::IsEmpty;

RankPlace on(std::vector<int> cores, int threads, const std::string& host = "a") {
  RankPlace place;
  place.host = host;
  place.numa = {0};
  place.cores = std::move(cores);
  place.threads = threads;
  return place;
}

std::vector<std::string> found(const std::vector<RankPlace>& places) {
  std::vector<std::string> texts;
  for (const BindingProblem& p : binding_problems(places))
    texts.push_back(std::to_string(p.rank) + " " + p.text);
  return texts;
}

TEST(Binding, OfOneRankToItsCoresIsAsPlanned) {
  EXPECT_THAT(found({on({0, 1}, 2), on({2, 3}, 2)}), IsEmpty());
  EXPECT_THAT(found({on({0, 1, 2, 3}, 2)}), IsEmpty());
}

TEST(Binding, OfNoneIsAsPlannedWhileThereAreCoresEnough) {
  EXPECT_THAT(found({on({0, 1}, 1), on({0, 1}, 1)}), IsEmpty());
  EXPECT_THAT(found({on({0, 1}, 1), on({0, 1}, 1), on({0, 1}, 1)}),
              testing::ElementsAre("0 shares cores 0-1 with ranks 1-2: 3 threads together",
                                   "1 shares cores 0-1 with ranks 0,2: 3 threads together",
                                   "2 shares cores 0-1 with ranks 0-1: 3 threads together"));
}

TEST(Binding, ToOneCoreTwiceIsFoundThoughOthersAreFree) {
  EXPECT_THAT(found({on({0}, 1), on({0}, 1), on({1}, 1)}),
              testing::ElementsAre("0 shares core 0 with rank 1: 2 threads together",
                                   "1 shares core 0 with rank 0: 2 threads together"));
  EXPECT_THAT(found({on({0}, 1), on({0}, 1, "b")}), IsEmpty()) << "cores of two hosts";
}

TEST(Binding, CountsRanksThatShareOverOthers) {
  // 0-1 and 2-3 meet in 1-2: five threads on four cores.
  EXPECT_EQ(found({on({0, 1}, 2), on({2, 3}, 2), on({1, 2}, 1)}).size(), 3u);
  EXPECT_EQ(found({on({0, 1}, 1), on({2, 3}, 2), on({1, 2}, 1)}).size(), 0u);
}

TEST(Binding, MoreThreadsThanCoresIsFound) {
  EXPECT_THAT(found({on({3}, 2)}), testing::ElementsAre("0 2 threads on core 3"));
  EXPECT_THAT(found({on({4, 5, 6, 9}, 8)}), testing::ElementsAre("0 8 threads on cores 4-6,9"));
}

TEST(Binding, FarFromTheDeviceIsFound) {
  RankPlace far = on({0}, 1);
  far.gpu_numa = {1};
  EXPECT_THAT(found({far}), testing::ElementsAre("0 memory in NUMA domain 0, device in 1"));
  far.numa = {0, 1};
  EXPECT_THAT(found({far}), IsEmpty());
}

TEST(Binding, WhereNobodyCanBindNothingIsFound) {
  RankPlace unbound = on({0}, 4), blind = on({}, 4);
  unbound.binds = false;
  EXPECT_THAT(found({unbound, blind}), IsEmpty());
  EXPECT_EQ(unknown_bindings({unbound, blind, on({0}, 1)}), 2);
}

TEST(Binding, RangesOfNumbers) {
  EXPECT_EQ(ranges_of({}), "");
  EXPECT_EQ(ranges_of({7}), "7");
  EXPECT_EQ(ranges_of({0, 1, 2, 5, 8, 9}), "0-2,5,8-9");
}

}  // namespace
}  // namespace vlmark::parallel
