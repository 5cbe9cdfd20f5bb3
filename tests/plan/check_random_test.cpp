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

}  // namespace
}  // namespace vlmark::plan
