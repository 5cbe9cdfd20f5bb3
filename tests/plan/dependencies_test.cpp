#include "src/plan/dependencies.hpp"

#include <gmock/gmock.h>

#include "tests/support/one_stage.hpp"
#include "tests/support/random_schedule.hpp"

namespace vlmark::plan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr BufferId x{BufferId::Kind::input, 0}, y{BufferId::Kind::input, 1};

Action action(Lane lane, std::vector<BufferId> reads, std::vector<BufferId> writes) {
  return {ActionKind::load, lane, 0, -1, -1, -1, std::move(reads), std::move(writes)};
}

TEST(Dependencies, AReadWaitsForTheWriteOfAnotherLane) {
  EXPECT_THAT(dependencies({action(Lane::compute, {}, {x}), action(Lane::data, {x}, {})}),
              ElementsAre(IsEmpty(), ElementsAre(0)));
}

TEST(Dependencies, AWriteWaitsForTheReadsAndTheWriteBefore) {
  EXPECT_THAT(dependencies({action(Lane::compute, {}, {x}), action(Lane::data, {x}, {}),
                            action(Lane::tensor, {x}, {}), action(Lane::pipeline, {}, {x})}),
              ElementsAre(IsEmpty(), ElementsAre(0), ElementsAre(0), ElementsAre(2, 1)));
}

TEST(Dependencies, ALaneNeedsNoEventForItsOwnOrder) {
  EXPECT_THAT(dependencies({action(Lane::data, {}, {x}), action(Lane::data, {x}, {x})}),
              ElementsAre(IsEmpty(), IsEmpty()));
}

TEST(Dependencies, ReadsOfOneBufferRunSideBySide) {
  EXPECT_THAT(dependencies({action(Lane::compute, {x}, {}), action(Lane::data, {x}, {})}),
              ElementsAre(IsEmpty(), IsEmpty()));
}

/// The third knows of the first through the second.
TEST(Dependencies, LeavesOutWhatAnotherWaitImplies) {
  EXPECT_THAT(dependencies({action(Lane::compute, {}, {x}), action(Lane::data, {x}, {y}),
                            action(Lane::tensor, {x, y}, {})}),
              ElementsAre(IsEmpty(), ElementsAre(0), ElementsAre(1)));
}

TEST(Dependencies, OrderEveryRandomScheduleAndEachIsNeeded) {
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Schedule schedule = test::random_schedule(seed, 50, 5);
    const Waits waits = dependencies(schedule);
    EXPECT_THAT(unordered(schedule, waits), IsEmpty());
    for (std::size_t i = 0; i < waits.size(); ++i)
      for (std::size_t k = 0; k < waits[i].size(); ++k) {
        EXPECT_LT(waits[i][k], static_cast<int>(i));
        Waits without = waits;
        without[i].erase(without[i].begin() + static_cast<long>(k));
        EXPECT_FALSE(unordered(schedule, without).empty()) << i << " without " << waits[i][k];
      }
  }
}

TEST(Dependencies, OrderTheTrainingStep) {
  for (const int micro_batches : {0, 1, 3})
    for (const int buckets : {1, 2, 5}) {
      const Schedule schedule = one_stage(4, 4 + micro_batches, buckets);
      EXPECT_THAT(unordered(schedule, dependencies(schedule)), IsEmpty());
    }
}

TEST(Unordered, NamesWhatAMissingEventLeavesOpen) {
  const Schedule schedule = one_stage(0, 1, 1);
  Waits waits = dependencies(schedule);
  for (std::size_t i = 0; i < schedule.size(); ++i)
    if (schedule[i].kind == ActionKind::gather_bucket) waits[i].clear();
  EXPECT_THAT(
      unordered(schedule, waits),
      testing::Contains("gather_bucket b0 on lane data does not wait for optimizer_slice b0 "
                        "on lane compute: both touch parameters 0"));
}

}  // namespace
}  // namespace vlmark::plan
