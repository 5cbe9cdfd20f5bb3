#include "src/recipe/sample_order.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace vlmark::recipe {
namespace {

/// The samples of `steps` steps in the order of their global micro-batches.
std::vector<int> all(const SampleOrder& order, int steps, int micro_batches) {
  std::vector<int> samples;
  for (int step = 0; step < steps; ++step)
    for (int m = 0; m < micro_batches; ++m) {
      const std::vector<int> some = order.micro_batch(step, m);
      samples.insert(samples.end(), some.begin(), some.end());
    }
  return samples;
}

TEST(SampleOrder, EveryEpochIsAPermutation) {
  for (const int samples : {1, 2, 3, 8, 101}) {
    const SampleOrder order(samples, 1, 1, 5);
    std::vector<int> identity(static_cast<std::size_t>(samples));
    std::iota(identity.begin(), identity.end(), 0);
    for (int epoch = 0; epoch < 20; ++epoch) {
      std::vector<int> permuted = order.epoch(epoch);
      std::sort(permuted.begin(), permuted.end());
      EXPECT_EQ(permuted, identity) << samples << " samples, epoch " << epoch;
    }
  }
}

TEST(SampleOrder, MicroBatchesWalkTheEpochs) {
  const SampleOrder order(5, 2, 3, 9);  // 6 samples a step: epochs end inside a micro-batch
  std::vector<int> expected;
  for (int epoch = 0; epoch < 6; ++epoch)
    for (const int sample : order.epoch(epoch)) expected.push_back(sample);
  EXPECT_EQ(all(order, 5, 2), expected);
}

TEST(SampleOrder, DoesNotDependOnTheSplitIntoMicroBatches) {
  const std::vector<int> one = all(SampleOrder(7, 1, 12, 3), 4, 1);
  EXPECT_EQ(all(SampleOrder(7, 2, 6, 3), 4, 2), one);
  EXPECT_EQ(all(SampleOrder(7, 3, 4, 3), 4, 3), one);
  EXPECT_EQ(all(SampleOrder(7, 12, 1, 3), 4, 12), one);
}

TEST(SampleOrder, SeedsAndEpochsDiffer) {
  const SampleOrder a(50, 1, 1, 1), b(50, 1, 1, 2);
  EXPECT_EQ(a.epoch(0), SampleOrder(50, 4, 2, 1).epoch(0));
  EXPECT_NE(a.epoch(0), b.epoch(0));
  EXPECT_NE(a.epoch(0), a.epoch(1));
}

/// A shuffle that favours a place would show here: each sample stands first about 1000 times;
/// five standard deviations of a binomial are 148.
TEST(SampleOrder, EverySampleMayComeFirst) {
  const SampleOrder order(8, 1, 1, 11);
  std::vector<int> first(8, 0);
  for (int epoch = 0; epoch < 8000; ++epoch)
    ++first[static_cast<std::size_t>(order.epoch(epoch).front())];
  for (const int count : first) EXPECT_NEAR(count, 1000, 148);
}

TEST(SampleOrder, LateStepsAreReached) {
  const SampleOrder order(8, 4, 2, 1);
  const std::vector<int> samples = order.micro_batch(3'000'000'000, 3);
  ASSERT_EQ(samples.size(), 2u);
  EXPECT_NE(samples[0], samples[1]);
}

}  // namespace
}  // namespace vlmark::recipe
