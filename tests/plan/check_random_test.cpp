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

}  // namespace
}  // namespace vlmark::plan
