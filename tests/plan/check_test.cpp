#include "src/plan/check.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <functional>

namespace vlmark::plan {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

using Is = std::function<bool(const Action&)>;

/// Two segments a chunk with one bucket each.
ScheduleShape stage(int pipeline, int rank, int micro_batches) {
  ScheduleShape shape;
  shape.pipeline = pipeline;
  shape.pipeline_rank = rank;
  shape.end = micro_batches;
  shape.segments = {2};
  shape.buckets = {1, 1};
  return shape;
}

std::vector<RankPlan> stages(int pipeline, int micro_batches, Overlap overlap = {},
                             bool tied = false, bool broadcast_shapes = false) {
  std::vector<RankPlan> plans;
  for (int p = 0; p < pipeline; ++p) {
    ScheduleShape shape = stage(pipeline, p, micro_batches);
    shape.overlap = overlap;
    shape.tied = tied;
    shape.broadcast_shapes = broadcast_shapes;
    plans.push_back(plan_rank(shape));
  }
  return plans;
}

Is named(const std::string& text) {
  return [text](const Action& action) { return to_string(action) == text; };
}
Schedule::iterator find(RankPlan& plan, const std::string& text) {
  const auto it = std::find_if(plan.schedule.begin(), plan.schedule.end(), named(text));
  EXPECT_NE(it, plan.schedule.end()) << text;
  return it;
}
void erase(RankPlan& plan, const std::string& text) {
  plan.schedule.erase(find(plan, text));
  plan.waits = dependencies(plan.schedule);
}
/// Takes an action out and puts it before another.
void move_before(RankPlan& plan, const std::string& what, const std::string& where) {
  const Action action = *find(plan, what);
  plan.schedule.erase(find(plan, what));
  plan.schedule.insert(find(plan, where), action);
  plan.waits = dependencies(plan.schedule);
}

TEST(Check, FindsNothingInAPipelineThatIsSound) {
  for (const bool tied : {false, true})
    for (const bool broadcast : {false, true})
      for (const Overlap overlap : {Overlap{}, Overlap{true, true, true}})
        EXPECT_THAT(check(stages(3, 4, overlap, tied, broadcast)), IsEmpty());
}

// Each planted error is found and named.

TEST(Check, NamesAMissingSend) {
  auto plans = stages(2, 3);
  erase(plans[0], "post_send activation m2 c0 to stage 1 slot 0");
  const auto problems = check(plans);
  EXPECT_THAT(problems, Contains(HasSubstr("activation from stage 0 to stage 1: message 2: "
                                           "post_receive activation m2 c0 from stage 0 slot 0 "
                                           "meets no send")));
  EXPECT_THAT(problems, Contains(HasSubstr("rank 0: finish_send activation m2 c0 to stage 1 slot "
                                           "0 has no post_send before it")));
  EXPECT_THAT(problems,
              Contains(AllOf(HasSubstr("deadlock: "),
                             HasSubstr("stage 1 lane pipeline in finish_receive activation m2 c0 "
                                       "from stage 0 slot 0 waits for stage 0 to post_send it"))));
}

TEST(Check, NamesAMissingReceive) {
  auto plans = stages(2, 3);
  erase(plans[0], "post_receive gradient m1 c0 from stage 1 slot 1");
  const auto problems = check(plans);
  EXPECT_THAT(problems, Contains(HasSubstr("gradient from stage 1 to stage 0: message 1: post_send "
                                           "gradient m1 c0 to stage 0 slot 1 meets post_receive "
                                           "gradient m2 c0 from stage 1 slot 0")));
  EXPECT_THAT(problems, Contains(HasSubstr("has no post_receive before it")));
}

TEST(Check, NamesSendsInAnotherOrderThanTheirReceives) {
  auto plans = stages(3, 4);
  // Stage 0 runs micro-batch 1 before 0: each stage alone is sound.
  for (Action& action : plans[0].schedule) {
    const auto other = [](int m) { return m == 0 ? 1 : m == 1 ? 0 : m; };
    action.micro_batch = other(action.micro_batch);
    for (auto* ids : {&action.reads, &action.writes})
      for (BufferId& id : *ids)
        if (id.kind == BufferId::Kind::input || id.kind == BufferId::Kind::activation ||
            id.kind == BufferId::Kind::gradient || id.kind == BufferId::Kind::stream ||
            id.kind == BufferId::Kind::stream_gradient)
          id.index = other(id.index);
  }
  EXPECT_THAT(check_rank(plans[0]), IsEmpty());
  EXPECT_THAT(check(plans),
              Contains(HasSubstr("activation from stage 0 to stage 1: message 0: post_send "
                                 "activation m1 c0 to stage 1 slot 0 meets post_receive "
                                 "activation m0 c0 from stage 0 slot 0")));
}

TEST(Check, NamesAMessageForTheWrongStage) {
  auto plans = stages(3, 2);
  find(plans[0], "post_send activation m0 c0 to stage 1 slot 0")->peer = 2;
  EXPECT_THAT(check(plans), AllOf(Contains(HasSubstr("activation from stage 0 to stage 2: message "
                                                     "0: post_send activation m0 c0 to stage 2 "
                                                     "slot 0 meets no receive"))));
}

TEST(Check, NamesAReceiveSlotThatIsFreedTooSoon) {
  auto plans = stages(2, 4, {.early_messages = true});
  move_before(plans[1], "post_receive activation m2 c0 from stage 0 slot 0", "forward m0 s0");
  EXPECT_THAT(check(plans),
              Contains(HasSubstr("rank 1: post_receive activation m2 c0 from stage 0 slot 0 "
                                 "overwrites receive_slot activation 0, whose activation m0 c0 "
                                 "nobody has read yet")));
}

TEST(Check, NamesASendSlotThatIsFreedTooSoon) {
  auto plans = stages(2, 4);
  erase(plans[0], "finish_send activation m0 c0 to stage 1 slot 0");
  EXPECT_THAT(check(plans),
              Contains(HasSubstr("rank 0: forward m2 s1 writes send_slot activation 0 while "
                                 "post_send activation m0 c0 to stage 1 slot 0 is not finished")));
}

TEST(Check, NamesAnActivationThatIsReadAfterItIsFreed) {
  auto plans = stages(1, 2);
  const Action again = *find(plans[0], "backward m0 s1");
  plans[0].schedule.insert(find(plans[0], "load m1"), again);
  plans[0].waits = dependencies(plans[0].schedule);
  EXPECT_THAT(check(plans), AllOf(Contains(HasSubstr("backward m0 s1 reads activation 0 s1 after "
                                                     "it was freed")),
                                  Contains(HasSubstr("backward m0 s1 is there twice"))));
}

TEST(Check, NamesABackwardBeforeItsForward) {
  auto plans = stages(1, 2);
  move_before(plans[0], "backward m0 s1", "forward m0 s1");
  EXPECT_THAT(check(plans), Contains(HasSubstr("backward m0 s1 reads activation 0 s1 before "
                                               "anything wrote it")));
}

TEST(Check, NamesAMissingLoad) {
  auto plans = stages(2, 2);
  erase(plans[1], "load m1");
  EXPECT_THAT(check(plans),
              AllOf(Contains("rank 1: load m1 is missing"),
                    Contains("rank 1: forward m1 s0 reads input 1 before anything wrote it")));
}

TEST(Check, NamesAMessageThatIsReadBeforeItHasArrived) {
  auto plans = stages(2, 2);
  move_before(plans[1], "forward m1 s0", "finish_receive activation m1 c0 from stage 0 slot 1");
  EXPECT_THAT(check(plans), Contains("rank 1: forward m1 s0 reads receive_slot activation 1 before "
                                     "finish_receive"));
}

TEST(Check, NamesAMissingWait) {
  auto plans = stages(2, 2, {true, true, true});
  const auto at =
      static_cast<std::size_t>(find(plans[1], "forward m0 s0") - plans[1].schedule.begin());
  ASSERT_FALSE(plans[1].waits[at].empty());
  plans[1].waits[at].clear();
  EXPECT_THAT(check(plans),
              Contains(HasSubstr("rank 1: forward m0 s0 on lane compute does not wait for "
                                 "finish_receive activation m0 c0 from stage 0 slot 0 on lane "
                                 "pipeline: both touch receive_slot activation 0")));
}

TEST(Check, NamesParametersThatAreNotWhole) {
  auto plans = stages(2, 2, {.gather = true});
  erase(plans[0], "gather_bucket b0");
  EXPECT_THAT(check(plans),
              AllOf(Contains("rank 0: gather_bucket b0 is missing"),
                    Contains("rank 0: forward m0 s1 reads parameters 0 that are not gathered")));
  plans = stages(2, 2);
  erase(plans[0], "gather_bucket b1");
  EXPECT_THAT(check(plans), Contains("rank 0: bucket 1 is not gathered after its optimizer slice"));
}

TEST(Check, NamesAGradientThatIsReducedTooSoon) {
  auto plans = stages(1, 2, {.reduce = true});
  move_before(plans[0], "reduce_bucket b0", "join_gradients m1 s1");
  EXPECT_THAT(check(plans), Contains(HasSubstr("reduce_bucket b0 reads gradient 1 s1 before "
                                               "join_gradients")));
}

TEST(Check, NamesReceivedSubtreesThatAreOverwritten) {
  auto plans = stages(1, 2);
  move_before(plans[0], "reduce_bucket b1", "join_bucket b0");
  EXPECT_THAT(check(plans), Contains(HasSubstr("reduce_bucket b1 overwrites received 0, which "
                                               "holds bucket 0 (not joined yet)")));
}

TEST(Check, NamesAnEmbeddingGradientThatComesTooLate) {
  auto plans = stages(2, 3, {}, true);
  move_before(plans[1], "join_gradients m0 s1", "embedding_backward m0 s1");
  EXPECT_THAT(check(plans), Contains(HasSubstr("embedding_backward m0 s1 adds to gradient 0 s1 "
                                               "after its join")));
}

TEST(Check, NamesACopyOfTheEmbeddingThatIsStale) {
  auto plans = stages(2, 3, {.gather = true}, true);
  move_before(plans[0], "finish_receive embedding_weights from stage 1", "forward m1 s0");
  EXPECT_THAT(check(plans), Contains(HasSubstr("rank 0: forward m0 s0 reads the copy of the "
                                               "embedding before its new weights have arrived")));
  plans = stages(2, 3, {}, true);
  for (const char* text : {"post_receive embedding_weights from stage 1",
                           "finish_receive embedding_weights from "
                           "stage 1"})
    erase(plans[0], text);
  EXPECT_THAT(check(plans),
              AllOf(Contains("rank 0: the first stage does not get the embedding's new weights"),
                    Contains(HasSubstr("post_send embedding_weights to stage 0 meets no "
                                       "receive"))));
}

TEST(Check, NamesAMissingBroadcastOfLengths) {
  for (const std::size_t stage : {0, 1}) {
    auto plans = stages(2, 3, {}, false, true);
    erase(plans[stage], "broadcast_lengths m1");
    const std::string rank = "rank " + std::to_string(stage);
    const auto problems = check(plans);
    EXPECT_THAT(problems, AllOf(Contains(rank + ": broadcast_lengths m1 is missing"),
                                Contains(HasSubstr("pipeline group: collective 1: rank 0 calls "
                                                   "broadcast_lengths m"))));
    EXPECT_THAT(problems, Contains(AllOf(HasSubstr("deadlock: "),
                                         HasSubstr("lane pipeline in broadcast_lengths m2 waits "
                                                   "for stage " +
                                                   std::to_string(stage)))));
    if (stage == 0) continue;
    EXPECT_THAT(problems,
                AllOf(Contains("rank 1: load m1 reads lengths 1 before anything wrote it"),
                      Contains("rank 1: post_receive activation m1 c0 from stage 0 slot 1 "
                               "reads lengths 1 before anything wrote it")));
  }
}

TEST(Check, NamesBroadcastsOfLengthsInAnotherOrder) {
  auto plans = stages(2, 3, {}, false, true);
  move_before(plans[1], "broadcast_lengths m2", "broadcast_lengths m1");
  EXPECT_THAT(check(plans), testing::ElementsAre(
                                "pipeline group: collective 1: rank 0 calls broadcast_lengths m1, "
                                "rank 1 calls broadcast_lengths m2"));
}

TEST(Check, NamesLengthsThatAreBroadcastAfterTheyAreNeeded) {
  auto plans = stages(2, 2, {}, false, true);
  move_before(plans[1], "load m1", "broadcast_lengths m0");
  EXPECT_THAT(check(plans),
              testing::ElementsAre("rank 1: load m1 reads lengths 1 before anything wrote it"));
}

/// The first stage sends its activation before the lengths, the second wants the lengths first.
TEST(Check, NamesLengthsThatWaitForAMessage) {
  auto plans = stages(2, 2, {}, false, true);
  move_before(plans[0], "broadcast_lengths m1",
              "finish_receive gradient m1 c0 from stage 1 slot 1");
  EXPECT_THAT(check(plans),
              Contains(AllOf(HasSubstr("deadlock: "), HasSubstr("stage 1 lane pipeline in "
                                                                "broadcast_lengths m1 waits for "
                                                                "stage 0"))));
}

/// Each waits for the other's message before it posts its own.
TEST(Check, NamesWhoWaitsForWhomInADeadlock) {
  auto plans = stages(2, 2);
  move_before(plans[0], "finish_send activation m0 c0 to stage 1 slot 0", "forward m1 s0");
  EXPECT_THAT(check(plans), IsEmpty());  // it stands behind nothing that stage 1 needs
  move_before(plans[1], "finish_send gradient m0 c0 to stage 0 slot 0",
              "post_receive activation m1 c0 from stage 0 slot 1");
  EXPECT_THAT(check(plans), IsEmpty());
  // Stage 0 posts m1 only after its gradient of m0 is away, which stage 1 sends only after m1.
  move_before(plans[0], "post_receive gradient m0 c0 from stage 1 slot 0",
              "post_send activation m1 c0 to stage 1 slot 1");
  move_before(plans[0], "finish_receive gradient m0 c0 from stage 1 slot 0",
              "post_send activation m1 c0 to stage 1 slot 1");
  move_before(plans[1], "post_receive activation m1 c0 from stage 0 slot 1",
              "post_send gradient m0 c0 to stage 0 slot 0");
  move_before(plans[1], "finish_receive activation m1 c0 from stage 0 slot 1",
              "post_send gradient m0 c0 to stage 0 slot 0");
  const auto problems = check(plans);
  ASSERT_EQ(problems.size(), 1u) << testing::PrintToString(problems);
  EXPECT_THAT(problems[0],
              AllOf(HasSubstr("stage 0 lane pipeline in finish_receive gradient m0 c0 from stage 1 "
                              "slot 0 waits for stage 1 to post_send it"),
                    HasSubstr("stage 1 lane pipeline in finish_receive activation m1 c0 from stage "
                              "0 slot 1 waits for stage 0 to post_send it")));
}

/// Slots that do not suffice for the ring: 12 outputs of the last stage wait for the first.
TEST(Check, NamesARingThatBlocks) {
  std::vector<ScheduleShape> shapes;
  std::vector<RankPlan> plans;
  for (int p = 0; p < 2; ++p) {
    ScheduleShape shape = stage(2, p, 12);
    shape.chunks = 2;
    shape.group = 12;
    shape.segments = {1, 1};
    plans.push_back(plan_rank(shape));
    // As if the sender had two slots.
    if (p == 1)
      for (std::size_t i = 0, sends = 0; i < plans[1].schedule.size(); ++i)
        if (plans[1].schedule[i].kind == ActionKind::forward && plans[1].schedule[i].chunk == 0 &&
            ++sends > 2) {
          const auto finish = named("finish_send activation m" + std::to_string(sends - 3) +
                                    " c0 to stage 0 slot " + std::to_string(sends - 3));
          const auto it = std::find_if(plans[1].schedule.begin(), plans[1].schedule.end(), finish);
          if (it == plans[1].schedule.end() || it - plans[1].schedule.begin() < long(i)) continue;
          const Action action = *it;
          plans[1].schedule.erase(it);
          plans[1].schedule.insert(plans[1].schedule.begin() + long(i), action);
          ++i;
        }
    plans[static_cast<std::size_t>(p)].waits =
        dependencies(plans[static_cast<std::size_t>(p)].schedule);
  }
  EXPECT_THAT(check(plans), Contains(HasSubstr("deadlock")));
}

LayoutSchedules of(const Layout& layout, int micro_batches, Overlap overlap) {
  std::vector<ScheduleShape> shapes;
  for (int p = 0; p < layout.pipeline; ++p) {
    shapes.push_back(stage(layout.pipeline, p, 0));
    shapes.back().tensor_ranks = layout.tensor;
    shapes.back().overlap = overlap;
  }
  return schedules_of(layout, shapes, micro_batches);
}

TEST(Check, NamesACollectiveThatOneReplicaLeavesOut) {
  const Layout layout = parse_layout("dp3.pp2");
  LayoutSchedules schedules = of(layout, 7, {.reduce = true});
  ASSERT_THAT(check(layout, schedules.of_rank), IsEmpty());
  RankPlan other = *schedules.of_rank[3];  // replica 1, stage 1
  erase(other, "reduce_bucket b0");
  schedules.of_rank[3] = &other;
  const auto problems = check(layout, schedules.of_rank);
  EXPECT_THAT(problems, Contains("data group: collective 0: rank 1 calls reduce_bucket b0, rank 3 "
                                 "calls reduce_bucket b1"));
  EXPECT_THAT(problems, Contains("rank 3: reduce_bucket b0 is missing"));
}

TEST(Check, NamesCollectivesInAnotherOrderOnOneReplica) {
  const Layout layout = parse_layout("dp2");
  LayoutSchedules schedules = of(layout, 2, {});
  RankPlan other = *schedules.of_rank[1];
  move_before(other, "gather_bucket b1", "gather_bucket b0");
  schedules.of_rank[1] = &other;
  EXPECT_THAT(check(layout, schedules.of_rank),
              Contains("data group: collective 3: rank 0 calls gather_bucket b0, rank 1 calls "
                       "gather_bucket b1"));
}

TEST(Check, NamesACollectiveThatOneTensorRankLeavesOut) {
  const Layout layout = parse_layout("tp2");
  LayoutSchedules schedules = of(layout, 2, {});
  RankPlan other = *schedules.of_rank[1];
  erase(other, "sum_replicated b1");
  schedules.of_rank[1] = &other;
  EXPECT_THAT(check(layout, schedules.of_rank),
              AllOf(Contains("tensor group: collective 1: rank 0 calls sum_replicated b1, rank 1 "
                             "calls global_norm"),
                    Contains("rank 1: square_sums stands before sum_replicated b1")));
}

TEST(Check, NamesAnAverageInTheWrongPlace) {
  ScheduleShape shape = stage(1, 0, 2);
  shape.tensor_ranks = 2;
  shape.average = true;
  const RankPlan sound = plan_rank(shape);
  ASSERT_THAT(check_rank(sound), IsEmpty());
  RankPlan other = sound;
  move_before(other, "average_replicated b0", "optimizer_slice b0");
  EXPECT_THAT(check_rank(other),
              Contains("average_replicated b0 stands before optimizer_slice b0"));
  other = sound;
  move_before(other, "gather_bucket b0", "average_replicated b0");
  EXPECT_THAT(check_rank(other), Contains(HasSubstr("is not gathered after its optimizer")));
  erase(other = sound, "average_replicated b1");
  EXPECT_THAT(check_rank(other), Contains("average_replicated b1 is missing"));
}

}  // namespace
}  // namespace vlmark::plan
