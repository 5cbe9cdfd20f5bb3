#include "src/plan/schedule_buffers.hpp"

#include <gmock/gmock.h>

#include <map>
#include <set>

#include "src/plan/schedule_order.hpp"
#include "tests/plan/random_layouts.hpp"

namespace vlmark::plan {
namespace {

/// Gradients open at once in one segment: begun by a forward (the head) or backward, not joined.
int open_at_most(const ScheduleShape& shape, int segment) {
  int open = 0, most = 0;
  std::set<int> begun;
  for (const Action& action : training_schedule(shape)) {
    for (const BufferId buffer : action.writes)
      if (buffer.kind == BufferId::Kind::gradient && buffer.part == segment &&
          begun.insert(buffer.index).second)
        most = std::max(most, ++open);
    if (action.kind == ActionKind::join_gradients && action.segment == segment) --open;
  }
  EXPECT_EQ(open, 0);
  return most;
}

ScheduleShape random_stage(test::Draws& draw) {
  auto stages = test::random_layout(draw, 16).stages;
  ScheduleShape shape = draw.coin() ? stages.back() : draw.one_of(stages);
  shape.begin = draw.below(9);
  shape.end = shape.begin + draw.below(3 * shape.pipeline + 2);
  return shape;
}

TEST(LaggingGradients, AreWhatAnyStepHasOpenAtMost) {
  int lagging = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    test::Draws draw(seed, "lagging");
    const ScheduleShape shape = random_stage(draw);
    int most = 0;
    for (ScheduleShape step = shape; step.end >= step.begin; --step.end)
      for (int s = 0; s < shape.segment_count(); ++s) {
        const int open = open_at_most(step, s);
        if (s + 1 == shape.segment_count() && shape.last_rank()) {
          most = std::max(most, open);
        } else {
          EXPECT_LE(open, 1) << "seed " << seed << " segment " << s;
        }
      }
    EXPECT_EQ(lagging_gradients(shape), most) << "seed " << seed;
    lagging += most > 1;
  }
  EXPECT_GT(lagging, 30);
}

TEST(LaggingGradients, OfATiedHeadUnderOneForwardOneBackward) {
  for (const auto& [P, expected] : {std::pair{2, 2}, {3, 3}, {4, 4}, {8, 6}}) {
    ScheduleShape shape;
    shape.pipeline = P;
    shape.pipeline_rank = P - 1;
    shape.end = 4 * P;
    EXPECT_EQ(lagging_gradients(shape), 1);
    shape.tied = true;
    EXPECT_EQ(lagging_gradients(shape), expected);
    shape.pipeline_rank = 0;
    EXPECT_EQ(lagging_gradients(shape), 0);
  }
}

/// Carries out what the plan says on sets of micro-batches.
TEST(GradientBuffers, SumEveryMicroBatchAlongTheTree) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    test::Draws draw(seed, "buffers");
    const ScheduleShape shape = random_stage(draw);
    const int micro_batches = shape.end + draw.below(4),
              segment = draw.below(shape.segment_count());
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Schedule schedule = training_schedule(shape);
    const GradientBuffers plan = gradient_buffers(schedule, segment, shape, micro_batches);
    std::map<int, std::set<int>> held;  // [buffer]
    std::set<int> begun;
    for (const Action& action : schedule) {
      for (const BufferId buffer : action.writes) {
        if (buffer.kind != BufferId::Kind::gradient || buffer.part != segment) continue;
        if (!begun.insert(buffer.index).second) continue;
        const int place = plan.buffer_of[static_cast<std::size_t>(buffer.index - shape.begin)];
        EXPECT_TRUE(held[place].empty()) << "buffer " << place << " is in use";
        EXPECT_LT(place, plan.buffers);
        held[place] = {buffer.index};
      }
      if (action.kind != ActionKind::join_gradients || action.segment != segment) continue;
      for (const auto& [into, from] :
           plan.joins[static_cast<std::size_t>(action.micro_batch - shape.begin)]) {
        EXPECT_EQ(*held[into].rbegin() + 1, *held[from].begin());  // neighbours
        held[into].insert(held[from].begin(), held[from].end());
        held[from].clear();
      }
    }
    const auto nodes = subtrees(shape.begin, shape.end, micro_batches);
    EXPECT_EQ(plan.results, nodes);
    ASSERT_EQ(plan.buffer_of_result.size(), nodes.size());
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const std::set<int>& sum = held[plan.buffer_of_result[i]];
      EXPECT_EQ(*sum.begin(), nodes[i].begin());
      EXPECT_EQ(*sum.rbegin() + 1, nodes[i].end(micro_batches));
      EXPECT_EQ(static_cast<long>(sum.size()), nodes[i].end(micro_batches) - nodes[i].begin());
    }
  }
}

/// What is planned for the largest step suffices for smaller ones, which leave out its end.
TEST(GradientBuffers, AreNeverMoreThanTheTreesAndThoseThatLag) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    test::Draws draw(seed, "enough buffers");
    ScheduleShape shape = random_stage(draw);
    const int most = shape.end + draw.below(4), last = shape.segment_count() - 1;
    const int tree = std::max(plan_joins(shape.begin, shape.end, most).buffers, 1),
              lagging = std::max(lagging_gradients(shape) - 1, 0);
    for (int M = most; M >= shape.begin; --M) {
      ScheduleShape step = shape;
      step.end = std::min(shape.end, M);
      const Schedule schedule = training_schedule(step);
      for (int s = 0; s <= last; ++s)
        EXPECT_LE(gradient_buffers(schedule, s, step, M).buffers, tree + (s == last ? lagging : 0))
            << "seed " << seed << ", " << M << " of " << most << " micro-batches, segment " << s;
    }
  }
}

}  // namespace
}  // namespace vlmark::plan
