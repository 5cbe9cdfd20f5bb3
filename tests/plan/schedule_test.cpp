#include <gmock/gmock.h>

#include <algorithm>
#include <map>

#include "src/base/error.hpp"
#include "src/plan/replay.hpp"
#include "src/plan/schedule_order.hpp"
#include "tests/support/one_stage.hpp"

namespace vlmark::plan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

using Text = std::vector<std::string>;

Text written(const Schedule& schedule) {
  Text text;
  for (const Action& action : schedule) text.push_back(to_string(action));
  return text;
}
Text pipeline_lane(const ScheduleShape& shape) {
  Schedule schedule = training_schedule(shape);
  std::erase_if(schedule, [](const Action& action) { return action.lane != Lane::pipeline; });
  return written(schedule);
}
long place(const Text& list, const std::string& text) {
  const auto it = std::find(list.begin(), list.end(), text);
  EXPECT_NE(it, list.end()) << text;
  return it - list.begin();
}

ScheduleShape stage(int pipeline, int rank, int micro_batches, Overlap overlap = {}) {
  ScheduleShape shape;
  shape.pipeline = pipeline;
  shape.pipeline_rank = rank;
  shape.end = micro_batches;
  shape.overlap = overlap;
  return shape;
}

TEST(OneStage, RunsMicroBatchesOneByOneAndThenBucketByBucket) {
  EXPECT_THAT(written(one_stage(5, 7, 2)),
              ElementsAre("load m5", "forward m5 s0", "backward m5 s0", "join_gradients m5 s0",
                          "load m6", "forward m6 s0", "backward m6 s0", "join_gradients m6 s0",
                          "reduce_bucket b0", "join_bucket b0", "reduce_bucket b1",
                          "join_bucket b1", "square_sums", "global_norm", "optimizer_slice b0",
                          "gather_bucket b0", "optimizer_slice b1", "gather_bucket b1"));
  EXPECT_THAT(written(one_stage(0, 0, 1)),
              ElementsAre("reduce_bucket b0", "join_bucket b0", "square_sums", "global_norm",
                          "optimizer_slice b0", "gather_bucket b0"));
}

TEST(TrainingSchedule, PostsReceivesDirectlyBeforeTheirUse) {
  EXPECT_THAT(pipeline_lane(stage(2, 0, 3)),
              ElementsAre("post_send activation m0 c0 to stage 1 slot 0",
                          "post_send activation m1 c0 to stage 1 slot 1",
                          "post_receive gradient m0 c0 from stage 1 slot 0",
                          "finish_receive gradient m0 c0 from stage 1 slot 0",
                          "finish_send activation m0 c0 to stage 1 slot 0",
                          "post_send activation m2 c0 to stage 1 slot 0",
                          "post_receive gradient m1 c0 from stage 1 slot 1",
                          "finish_receive gradient m1 c0 from stage 1 slot 1",
                          "post_receive gradient m2 c0 from stage 1 slot 0",
                          "finish_receive gradient m2 c0 from stage 1 slot 0",
                          "finish_send activation m1 c0 to stage 1 slot 1",
                          "finish_send activation m2 c0 to stage 1 slot 0"));
}

TEST(TrainingSchedule, PostsReceivesOneUseAheadWhenEarly) {
  EXPECT_THAT(pipeline_lane(stage(2, 1, 3, {.early_messages = true})),
              ElementsAre("post_receive activation m0 c0 from stage 0 slot 0",
                          "post_receive activation m1 c0 from stage 0 slot 1",
                          "finish_receive activation m0 c0 from stage 0 slot 0",
                          "post_receive activation m2 c0 from stage 0 slot 0",
                          "post_send gradient m0 c0 to stage 0 slot 0",
                          "finish_receive activation m1 c0 from stage 0 slot 1",
                          "post_send gradient m1 c0 to stage 0 slot 1",
                          "finish_receive activation m2 c0 from stage 0 slot 0",
                          "finish_send gradient m0 c0 to stage 0 slot 0",
                          "post_send gradient m2 c0 to stage 0 slot 0",
                          "finish_send gradient m1 c0 to stage 0 slot 1",
                          "finish_send gradient m2 c0 to stage 0 slot 0"));
}

/// Three segments, two buckets in the last, so that b0 and b1 are ready first.
ScheduleShape three_segments(Overlap overlap) {
  ScheduleShape shape = stage(1, 0, 2, overlap);
  shape.segments = {3};
  shape.buckets = {1, 1, 2};
  return shape;
}

TEST(TrainingSchedule, ReducesUnderTheBackwardOfEarlierSegments) {
  const Text list = written(training_schedule(three_segments({.reduce = true})));
  EXPECT_GT(place(list, "reduce_bucket b0"), place(list, "join_gradients m1 s2"));
  EXPECT_LT(place(list, "reduce_bucket b0"), place(list, "backward m1 s1"));
  EXPECT_LT(place(list, "reduce_bucket b2"), place(list, "backward m1 s0"));
  // With one received bucket at a time b1 has to wait for b0's join.
  EXPECT_LT(place(list, "join_bucket b0"), place(list, "reduce_bucket b1"));
}

/// Gathers and reductions of 10, forwards of 1, backwards of 2.
double slow_collectives(const RankPlan&, const Action& action) {
  switch (action.kind) {
    case ActionKind::forward:
      return 1.0;
    case ActionKind::backward:
      return 2.0;
    case ActionKind::reduce_bucket:
    case ActionKind::gather_bucket:
      return 10.0;
    default:
      return 0.0;
  }
}

/// When each action ends with slow_collectives.
std::map<std::string, double> ends(const ScheduleShape& shape) {
  const RankPlan plan = plan_rank(shape);
  const RankPlan* const ranks[] = {&plan};
  const Replay played = replay(ranks, 1, slow_collectives);
  EXPECT_EQ(played.deadlock, "");
  std::map<std::string, double> found;
  for (std::size_t i = 0; i < plan.schedule.size(); ++i)
    found[to_string(plan.schedule[i])] = played.end[0][i];
  return found;
}

TEST(TrainingSchedule, AForwardWaitsForItsOwnBucketsAlone) {
  auto end = ends(three_segments({.gather = true}));
  EXPECT_EQ(end["forward m0 s0"], 11);  // after b3
  EXPECT_EQ(end["forward m0 s1"], 21);  // after b2
  EXPECT_EQ(end["forward m0 s2"], 41);  // after b0 and b1
  EXPECT_EQ(end["optimizer_slice b3"], end["global_norm"]);
  end = ends(three_segments({}));
  EXPECT_EQ(end["forward m0 s2"], 3);
}

TEST(TrainingSchedule, OverlapHidesReductions) {
  ScheduleShape shape = three_segments({});
  EXPECT_EQ(ends(shape)["global_norm"], 18 + 40);
  shape.overlap.reduce = true;
  shape.received = 4;
  // b0 starts after the last segment's second backward: at 9 + 3 + 2.
  EXPECT_EQ(ends(shape)["global_norm"], 14 + 40);
}

TEST(TrainingSchedule, StagesReduceSideBySide) {
  for (const int chunks : {1, 2}) {
    std::vector<RankPlan> plans;
    for (int p = 0; p < 4; ++p) {
      ScheduleShape shape = stage(4, p, 8, {.reduce = true});
      shape.chunks = chunks;
      shape.segments.assign(static_cast<std::size_t>(chunks), 6 / chunks);
      shape.buckets.assign(6, 1);
      plans.push_back(plan_rank(shape));
    }
    std::vector<const RankPlan*> ranks;
    for (const RankPlan& plan : plans) ranks.push_back(&plan);
    const Replay played = replay(ranks, 1, slow_collectives);
    EXPECT_EQ(played.deadlock, "");
    double passes = 0, end = 0;
    for (std::size_t p = 0; p < ranks.size(); ++p)
      for (std::size_t i = 0; i < plans[p].schedule.size(); ++i) {
        const ActionKind kind = plans[p].schedule[i].kind;
        if (p > 0 && kind == ActionKind::backward) passes = std::max(passes, played.end[p][i]);
        if (kind == ActionKind::global_norm) end = std::max(end, played.end[p][i]);
      }
    // Six segments of 1 + 2 in eight micro-batches, and the way to the last of four stages and back:
    // as without reductions, up to the first stage's own last backward.
    EXPECT_LE(passes, chunks == 1 ? 6 * 3 * (8 + 3) : 6 * 3 * 8 + 3 * 3 * 3);
    EXPECT_LE(end, passes + 6 * 2 + 6 * 10);  // that, and the reductions of one stage
  }
}

TEST(TrainingSchedule, ReducesATiedHeadWhenTheEmbeddingsShareIsThere) {
  ScheduleShape shape = stage(2, 1, 3, {.reduce = true});
  shape.segments = {2};
  shape.buckets = {1, 1};
  shape.tied = true;
  const Text list = written(training_schedule(shape));
  EXPECT_EQ(std::count(list.begin(), list.end(), "embedding_backward m2 s1"), 1);
  EXPECT_LT(place(list, "backward m1 s0"), place(list, "embedding_backward m0 s1"));
  EXPECT_LT(place(list, "embedding_backward m0 s1"), place(list, "forward m2 s0"));
  EXPECT_LT(place(list, "reduce_bucket b1"), place(list, "embedding_backward m2 s1"));
  EXPECT_GT(place(list, "reduce_bucket b0"), place(list, "join_gradients m2 s1"));
}

TEST(TrainingSchedule, LengthsAreBroadcastBeforeAllElse) {
  ScheduleShape shape = stage(2, 1, 2, {.gather = true, .early_messages = true});
  shape.tied = shape.broadcast_shapes = true;
  Text list = written(training_schedule(shape));
  EXPECT_EQ(place(list, "broadcast_lengths m0"), 0);
  EXPECT_EQ(place(list, "broadcast_lengths m1"), 1);
  // Later stages alone are told; without stages there is nobody to tell.
  EXPECT_THAT(training_schedule(shape)[0].writes,
              ElementsAre(BufferId{BufferId::Kind::lengths, 0}));
  shape.pipeline_rank = 0;
  EXPECT_THAT(training_schedule(shape)[0].writes, ElementsAre());
  shape = stage(1, 0, 2);
  const Schedule without = training_schedule(shape);
  shape.broadcast_shapes = true;
  EXPECT_EQ(training_schedule(shape), without);
}

TEST(Slots, SufficeForTheLargestGroupOfAnyStep) {
  for (int P = 2; P <= 9; ++P)
    for (int N = P; N <= 3 * P + 1; ++N) {
      int largest = 0;
      for (int M = 0; M <= 12 * N; ++M)
        for (const int size : group_sizes(M, N, P)) largest = std::max(largest, size);
      EXPECT_LE(largest, largest_group(N, P)) << P << " " << N;
      if (P == N) {
        EXPECT_EQ(largest, 2 * P - 1);
      }
    }
}

TEST(Slots, AreNoneWhereNothingIsSent) {
  ScheduleShape shape = stage(3, 0, 4);
  EXPECT_EQ(slots(shape, Message::activation).receive, 0);
  EXPECT_EQ(slots(shape, Message::activation).send, 2);
  EXPECT_EQ(slots(shape, Message::gradient).send, 0);
  EXPECT_EQ(slots(shape, Message::embedding_rows).send, 0);
  shape.tied = true;
  EXPECT_EQ(slots(shape, Message::embedding_rows).send, 2);
  EXPECT_EQ(slots(stage(1, 0, 4), Message::activation).send, 0);
}

TEST(LastUses, FreeEveryBufferOnceAndNothingThatStays) {
  const Schedule schedule = one_stage(0, 2, 1);
  const auto uses = last_uses(schedule);
  std::map<BufferId, int> freed;
  for (const auto& buffers : uses)
    for (const BufferId buffer : buffers) ++freed[buffer];
  for (const auto& [buffer, times] : freed) EXPECT_EQ(times, 1) << to_string(buffer);
  EXPECT_FALSE(freed.contains({BufferId::Kind::parameters, 0}));
  EXPECT_THAT(uses[2], testing::Contains(BufferId{BufferId::Kind::input, 0}));  // backward m0
}

TEST(GatherSchedule, MakesParametersWholeOnEveryStage) {
  ScheduleShape shape = stage(2, 1, 0, {.gather = true});
  shape.tied = true;
  EXPECT_THAT(written(gather_schedule(shape)),
              ElementsAre("gather_bucket b0", "post_send embedding_weights to stage 0",
                          "finish_send embedding_weights to stage 0"));
  shape.pipeline_rank = 0;
  EXPECT_THAT(written(gather_schedule(shape)),
              ElementsAre("post_receive embedding_weights from stage 1", "gather_bucket b0",
                          "finish_receive embedding_weights from stage 1"));
}

TEST(GatherSchedule, AveragesBeforeItGathers) {
  ScheduleShape shape = stage(1, 0, 0);
  shape.tensor_ranks = 2;
  shape.buckets = {2};
  shape.average = true;
  EXPECT_THAT(written(gather_schedule(shape)),
              ElementsAre("average_replicated b0", "average_replicated b1", "gather_bucket b0",
                          "gather_bucket b1"));
}

/// Each bucket between its update and its gather, which takes the mean to the other replicas.
TEST(TrainingSchedule, AveragesWhatTensorRanksReplicateWhereTheStepSaysSo) {
  ScheduleShape shape = stage(1, 0, 1);
  shape.tensor_ranks = 2;
  const auto tail = [&] {
    const Text all = written(training_schedule(shape));
    return Text(std::find(all.begin(), all.end(), "global_norm") + 1, all.end());
  };
  EXPECT_THAT(tail(), ElementsAre("optimizer_slice b0", "gather_bucket b0"));
  shape.average = true;
  EXPECT_THAT(tail(),
              ElementsAre("optimizer_slice b0", "average_replicated b0", "gather_bucket b0"));
  shape.overlap.gather = true;
  EXPECT_THAT(tail(), ElementsAre("optimizer_slice b0", "average_replicated b0"));
}

TEST(TrainingSchedule, RefusesWhatIsNoSchedule) {
  const auto refused = [](const ScheduleShape& shape, const std::string& text) {
    EXPECT_THAT([&] { training_schedule(shape); }, ThrowsMessage<ValueError>(HasSubstr(text)));
  };
  refused(stage(2, 2, 1), "pipeline rank 2 of 2");
  ScheduleShape shape = stage(1, 0, 1);
  shape.chunks = 2;
  refused(shape, "2 chunks on 1 pipeline ranks");
  shape = stage(4, 0, 1);
  shape.group = 3;
  refused(shape, "a group of 3 on 4 pipeline ranks");
  shape = stage(1, 0, 1);
  shape.buckets = {1, 1};
  refused(shape, "2 numbers of buckets for 1 segments");
}

}  // namespace
}  // namespace vlmark::plan
