#include "src/plan/schedule.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace vlmark::plan {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

TEST(OneStage, IsSoundForAnyNumberOfMicroBatchesAndBuckets) {
  for (const int micro_batches : {0, 1, 2, 7})
    for (const int buckets : {1, 3}) {
      const Schedule schedule = one_stage(5, 5 + micro_batches, buckets);
      EXPECT_THAT(check(schedule, buckets), IsEmpty());
      const auto count = [&](ActionKind kind) {
        return std::count_if(schedule.begin(), schedule.end(),
                             [kind](const Action& a) { return a.kind == kind; });
      };
      EXPECT_EQ(count(ActionKind::forward), micro_batches);
      EXPECT_EQ(count(ActionKind::backward), micro_batches);
      EXPECT_EQ(count(ActionKind::reduce_bucket), buckets);
      EXPECT_EQ(count(ActionKind::global_norm), 1);
    }
}

/// Each planted error is found and named.
TEST(Check, FindsABackwardBeforeItsForward) {
  Schedule schedule = one_stage(0, 2, 1);
  std::swap(schedule[1], schedule[2]);
  EXPECT_THAT(check(schedule, 1), testing::Contains(HasSubstr("backward m0 reads activation 0")));
}

TEST(Check, FindsAMissingLoad) {
  Schedule schedule = one_stage(0, 2, 1);
  std::erase_if(schedule,
                [](const Action& a) { return a.kind == ActionKind::load && a.micro_batch == 1; });
  EXPECT_THAT(check(schedule, 1), testing::Contains(HasSubstr("forward m1 reads input 1")));
}

TEST(Check, FindsABucketThatIsNotReduced) {
  Schedule schedule = one_stage(0, 1, 2);
  std::erase_if(schedule, [](const Action& a) {
    return a.kind == ActionKind::reduce_bucket && a.bucket == 1;
  });
  EXPECT_THAT(check(schedule, 2), testing::Contains(HasSubstr("reads gradient_slice 1")));
}

TEST(Check, FindsABucketThatIsNotGathered) {
  Schedule schedule = one_stage(0, 1, 2);
  std::erase_if(schedule, [](const Action& a) {
    return a.kind == ActionKind::gather_bucket && a.bucket == 0;
  });
  EXPECT_THAT(check(schedule, 2), testing::ElementsAre(HasSubstr("bucket 0 is not gathered")));
}

}  // namespace
}  // namespace vlmark::plan
