#include "src/plan/schedule_order.hpp"

#include <gmock/gmock.h>

#include <sstream>

#include "src/plan/check.hpp"

namespace vlmark::plan {
namespace {

using testing::ElementsAre;

ScheduleShape stage(int pipeline, int rank, int micro_batches, int chunks = 1, int group = 0) {
  ScheduleShape shape;
  shape.pipeline = pipeline;
  shape.pipeline_rank = rank;
  shape.chunks = chunks;
  shape.group = group;
  shape.end = micro_batches;
  shape.segments.assign(static_cast<std::size_t>(chunks), 1);
  shape.buckets.assign(static_cast<std::size_t>(chunks), 1);
  return shape;
}

/// "F0 F1 B0": with several chunks F<micro-batch>.<chunk>.
std::string written(const ScheduleShape& shape) {
  std::ostringstream text;
  for (const auto& [backward, m, chunk] : pass_order(shape)) {
    text << (text.tellp() > 0 ? " " : "") << (backward ? "B" : "F") << m;
    if (shape.chunks > 1) text << "." << chunk;
  }
  return text.str();
}

TEST(PassOrder, OfTwoStagesAndThreeMicroBatchesIsTheTableByHand) {
  EXPECT_EQ(written(stage(2, 0, 3)), "F0 F1 B0 F2 B1 B2");
  EXPECT_EQ(written(stage(2, 1, 3)), "F0 B0 F1 B1 F2 B2");
}

/// Stage 0 holds chunks 0 and 2 of the model, stage 1 chunks 1 and 3: the picture of
/// arXiv:2104.04473, figure 4, for two stages.
TEST(PassOrder, OfTwoStagesTwoChunksAndFourMicroBatchesIsTheTableByHand) {
  EXPECT_EQ(written(stage(2, 0, 4, 2)),
            "F0.0 F1.0 F0.1 F1.1 F2.0 B0.1 F3.0 B1.1 F2.1 B0.0 F3.1 B1.0 B2.1 B3.1 B2.0 B3.0");
  EXPECT_EQ(written(stage(2, 1, 4, 2)),
            "F0.0 F1.0 F0.1 B0.1 F1.1 B1.1 F2.0 B0.0 F3.0 B1.0 F2.1 B2.1 F3.1 B3.1 B2.0 B3.0");
}

TEST(PassOrder, WorksWithFewerMicroBatchesThanStagesAndWithNone) {
  EXPECT_EQ(written(stage(4, 0, 2)), "F0 F1 B0 B1");
  EXPECT_EQ(written(stage(4, 2, 2)), "F0 F1 B0 B1");
  EXPECT_EQ(written(stage(4, 3, 2)), "F0 B0 F1 B1");
  EXPECT_EQ(written(stage(4, 1, 0)), "");
  EXPECT_EQ(written(stage(3, 0, 1, 2)), "F0.0 F0.1 B0.1 B0.0");
  EXPECT_EQ(written(stage(3, 2, 1, 2)), "F0.0 F0.1 B0.1 B0.0");
}

TEST(GroupSizes, FollowMegatronsRuleWhereItHolds) {
  EXPECT_THAT(group_sizes(8, 4, 4), ElementsAre(4, 4));
  EXPECT_THAT(group_sizes(12, 8, 4), ElementsAre(8, 4));
  EXPECT_THAT(group_sizes(13, 8, 4), ElementsAre(8, 5));
  EXPECT_THAT(group_sizes(8, 8, 4), ElementsAre(8));
}

TEST(GroupSizes, AreNeverBelowThePipelineWhereThereAreThatMany) {
  EXPECT_THAT(group_sizes(5, 4, 4), ElementsAre(5));
  EXPECT_THAT(group_sizes(9, 4, 4), ElementsAre(4, 5));
  EXPECT_THAT(group_sizes(9, 8, 4), ElementsAre(4, 5));
  EXPECT_THAT(group_sizes(3, 8, 4), ElementsAre(3));
  EXPECT_TRUE(group_sizes(0, 4, 4).empty());
}

ScheduleStatistics statistics(int pipeline, int micro_batches, int chunks, int group, bool early,
                              int segments = 1) {
  std::vector<RankPlan> plans;
  for (int p = 0; p < pipeline; ++p) {
    ScheduleShape shape = stage(pipeline, p, micro_batches, chunks, group);
    shape.segments.assign(static_cast<std::size_t>(chunks), segments);
    shape.buckets.assign(static_cast<std::size_t>(chunks * segments), 1);
    shape.overlap.early_messages = early;
    shape.tied = true;
    plans.push_back(plan_rank(shape));
  }
  return schedule_statistics(plans);
}

/// Narayanan et al., arXiv:2104.04473, section 2.2: bubble / ideal = (P - 1) / M; stage p keeps
/// P - p micro-batches.
TEST(ScheduleStatistics, OfOneForwardOneBackwardAreTheFormulas) {
  for (const bool early : {false, true})
    for (const int P : {1, 2, 3, 4, 8, 16})
      for (const int M : {1, 2, 3, 5, 8, 16, 40}) {
        SCOPED_TRACE(std::to_string(P) + " stages, " + std::to_string(M) + " micro-batches");
        const ScheduleStatistics found = statistics(P, M, 1, 0, early, 2);
        EXPECT_EQ(found.ideal, 3.0 * M);
        EXPECT_EQ(found.time, 3.0 * M + 3.0 * (P - 1));
        EXPECT_NEAR(found.bubble(), (P - 1.0) / M, 1e-12);
        for (int p = 0; p < P; ++p)
          EXPECT_EQ(found.in_flight[static_cast<std::size_t>(p)], std::min(M, P - p));
      }
}

/// Bubble / ideal = (P - 1) / (V M); stage p keeps 2 (P - p - 1) + (V - 1) N + 1 chunks, so that
/// the first holds 1 + (P - 1) / (P V) times the activations of 1F1B for N = P (Korthikanti et al.,
/// arXiv:2205.05198, section 4).
TEST(ScheduleStatistics, OfInterleavedOneForwardOneBackwardAreTheFormulas) {
  for (const bool early : {false, true})
    for (const int P : {2, 3, 4, 8})
      for (const int V : {2, 3, 4})
        for (const int rounds : {1, 2, 5})
          for (const int N : {P, 2 * P, 2 * P + 1}) {
            const int M = rounds * N;
            SCOPED_TRACE("pp" + std::to_string(P) + ".v" + std::to_string(V) + ".n" +
                         std::to_string(N) + ", " + std::to_string(M) + " micro-batches");
            const ScheduleStatistics found = statistics(P, M, V, N, early);
            EXPECT_EQ(found.ideal, 3.0 * M * V);
            EXPECT_EQ(found.time, 3.0 * M * V + 3.0 * (P - 1));
            EXPECT_NEAR(found.bubble(), (P - 1.0) / (V * M), 1e-12);
            for (int p = 0; p < P; ++p)
              EXPECT_EQ(found.in_flight[static_cast<std::size_t>(p)],
                        std::min(M * V, 2 * (P - p - 1) + (V - 1) * N + 1));
          }
}

/// The last group is smaller: M mod N >= P.
TEST(ScheduleStatistics, AShortLastGroupThatIsLegalCostsNothing) {
  for (const auto& [P, V, N, M] : {std::array{4, 2, 8, 12}, {2, 3, 5, 8}, {4, 2, 6, 16}}) {
    const ScheduleStatistics found = statistics(P, M, V, N, true);
    EXPECT_EQ(found.time, 3.0 * M * V + 3.0 * (P - 1)) << P << " " << V << " " << N << " " << M;
  }
}

}  // namespace
}  // namespace vlmark::plan
