#include <gmock/gmock.h>

#include "tests/plan/random_layouts.hpp"

namespace vlmark::plan {
namespace {

using testing::IsEmpty;

TEST(Check, FindsNothingInHundredsOfRandomLayouts) {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    test::Draws draw(seed, "random layout");
    const test::RandomLayout random = test::random_layout(draw, 4096);
    SCOPED_TRACE("seed " + std::to_string(seed) + ": " + to_string(random.layout) + ", " +
                 std::to_string(random.micro_batches) + " micro-batches");
    const LayoutSchedules schedules =
        schedules_of(random.layout, random.stages, random.micro_batches);
    ASSERT_THAT(check(random.layout, schedules.of_rank), IsEmpty());
  }
}

/// Replicas share their schedules: the cost does not grow with the ranks.
TEST(Check, LooksAtFourThousandRanks) {
  const Layout layout = parse_layout("dp32.tp8.pp16.v2");
  std::vector<ScheduleShape> stages(16);
  for (int p = 0; p < 16; ++p) {
    ScheduleShape& shape = stages[static_cast<std::size_t>(p)];
    shape.pipeline = 16;
    shape.pipeline_rank = p;
    shape.chunks = 2;
    shape.segments = {2, 2};
    shape.buckets = {2, 2, 2, 2};
    shape.tied = true;
    shape.tensor_ranks = 8;
    shape.received = 4;
    shape.overlap = {true, true, true};
  }
  const LayoutSchedules schedules = schedules_of(layout, stages, 32 * 32 + 5);
  EXPECT_EQ(schedules.of_rank.size(), 4096u);
  EXPECT_EQ(schedules.plans.size(), 32u);  // 32 or 33 micro-batches
  EXPECT_THAT(check(layout, schedules.of_rank), IsEmpty());
}

/// Whatever single action, read, write or wait is left out, something is said.
TEST(Check, FindsWhateverIsLeftOut) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    test::Draws draw(seed, "left out");
    test::RandomLayout random = test::random_layout(draw, 1);
    random.layout.data = 1;
    random.micro_batches = draw.from(1, 2 * random.layout.pipeline);
    const LayoutSchedules schedules =
        schedules_of(random.layout, random.stages, random.micro_batches);
    for (int i = 0; i < 12; ++i) {
      const int rank = draw.below(random.layout.ranks());
      RankPlan other = *schedules.of_rank[static_cast<std::size_t>(rank)];
      const auto at = static_cast<std::size_t>(draw.below(static_cast<int>(other.schedule.size())));
      std::string what = to_string(other.schedule[at]);
      Action& action = other.schedule[at];
      const auto drop = [&draw](auto& list) {
        list.erase(list.begin() + draw.below(static_cast<int>(list.size())));
      };
      switch (draw.below(4)) {
        case 0:
          other.schedule.erase(other.schedule.begin() + static_cast<long>(at));
          break;
        case 1:
          if (action.reads.empty()) continue;
          drop(action.reads);
          what += " without a read";
          break;
        case 2:
          if (action.writes.empty()) continue;
          drop(action.writes);
          what += " without a write";
          break;
        default:
          if (other.waits[at].empty()) continue;
          drop(other.waits[at]);
          what += " without a wait";
          EXPECT_FALSE(check_rank(other).empty()) << "seed " << seed << ": " << what;
          continue;
      }
      other.waits = dependencies(other.schedule);
      auto ranks = schedules.of_rank;
      ranks[static_cast<std::size_t>(rank)] = &other;
      EXPECT_FALSE(check(random.layout, ranks).empty()) << "seed " << seed << ": " << what;
    }
  }
}

}  // namespace
}  // namespace vlmark::plan
