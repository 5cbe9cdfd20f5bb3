#include "src/sim/replay.hpp"

#include <gtest/gtest.h>

#include "tests/sim/machines.hpp"

namespace vlmark::sim {
namespace {

/// A pipeline of `ranks` in which forwards take `f`, backwards `b`, all else nothing.
Simulation pipeline(int ranks, int chunks, int micro_batches, double f, double b,
                    double transit = 0, bool early = false) {
  Simulation run;
  std::vector<const plan::RankPlan*> plans;
  for (int p = 0; p < ranks; ++p) {
    plan::ScheduleShape shape;
    shape.pipeline = ranks;
    shape.pipeline_rank = p;
    shape.chunks = chunks;
    shape.end = micro_batches;
    shape.segments.assign(static_cast<std::size_t>(chunks), 1);
    shape.buckets = shape.segments;
    shape.overlap.early_messages = early;
    run.stages.push_back(plan::plan_rank(shape));
    run.times.emplace_back();
    run.transits.emplace_back();
    for (const plan::Action& a : run.stages.back().schedule) {
      run.times.back().push_back({a.kind == plan::ActionKind::forward    ? f
                                  : a.kind == plan::ActionKind::backward ? b
                                                                         : 0});
      const bool arrives =
          a.kind == plan::ActionKind::finish_receive || a.kind == plan::ActionKind::finish_send;
      run.transits.back().push_back(arrives ? transit : 0);
    }
    plans.push_back(&run.stages.back());
  }
  run.played = replay(run, plans);
  return run;
}

TEST(Replay, OfTwoRanksAndThreeMicroBatchesByHand) {
  // Rank 0: F0 F1 . B0 F2 . B1 . B2 in units of f = 1, b = 2:
  //   0: F0 0-1, F1 1-2, B0 4-6, F2 6-7, B1 7-9, B2 10-12
  //   1: F0 1-2, B0 2-4, F1 4-5, B1 5-7, F2 7-8, B2 8-10
  const Simulation run = pipeline(2, 1, 3, 1, 2);
  const auto ends = [&](std::size_t p, plan::ActionKind kind) {
    std::vector<double> found;
    for (std::size_t i = 0; i < run.stages[p].schedule.size(); ++i)
      if (run.stages[p].schedule[i].kind == kind) found.push_back(run.played.end[p][i]);
    return found;
  };
  EXPECT_EQ(ends(0, plan::ActionKind::forward), (std::vector<double>{1, 2, 7}));
  EXPECT_EQ(ends(0, plan::ActionKind::backward), (std::vector<double>{6, 9, 12}));
  EXPECT_EQ(ends(1, plan::ActionKind::forward), (std::vector<double>{2, 5, 8}));
  EXPECT_EQ(ends(1, plan::ActionKind::backward), (std::vector<double>{4, 7, 10}));
  const Prediction sum = summarise(run);
  EXPECT_EQ(sum.step, 12);
  EXPECT_DOUBLE_EQ(sum.bubble, 1 - 9.0 / 12);
}

TEST(Replay, HasTheBubbleOfTheFormula) {
  for (const int P : {1, 2, 3, 4, 8})
    for (const int M : {1, 2, 3, 8, 13}) {
      const Prediction sum = summarise(pipeline(P, 1, M, 1, 2));
      EXPECT_NEAR(sum.bubble, (P - 1.0) / (M + P - 1), 1e-12) << P << " " << M;
    }
  // Interleaved: the bubble is V times shorter (arXiv:2104.04473, section 2.2.2).
  for (const int P : {2, 4})
    for (const int V : {2, 3}) {
      const double bubble = (P - 1.0) / V;
      EXPECT_NEAR(summarise(pipeline(P, V, 2 * P, 1, 2)).bubble, bubble / (2 * P + bubble), 1e-12)
          << P << " " << V;
    }
}

TEST(Replay, WaitsForMessagesOnTheirWay) {
  // F0, on its way, F1, B1, on its way, B0.
  const Simulation run = pipeline(2, 1, 1, 1, 2, 0.25);
  const Prediction sum = summarise(run);
  EXPECT_DOUBLE_EQ(sum.step, 6.5);
  // Rank 0 stands still while each of the two messages is on its way; that rank 1 computes in
  // between is the bubble's.
  EXPECT_DOUBLE_EQ(sum.exposed[static_cast<std::size_t>(plan::Lane::pipeline)], 0.5);
  EXPECT_EQ(sum.exposed[static_cast<std::size_t>(plan::Lane::data)], 0);
}

TEST(Replay, HasARhythmOnlyWhereEveryGroupTakesTheSame) {
  Simulation run = pipeline(3, 1, 80, 1, 2, 0.25);
  std::vector<const plan::RankPlan*> stages;
  for (const plan::RankPlan& stage : run.stages) stages.push_back(&stage);
  const auto repetition = plan::repetition_of(stages[0]->shape, 80);
  ASSERT_TRUE(repetition);
  const auto rhythm = rhythm_of(stages, run.played, *repetition);
  ASSERT_TRUE(rhythm);
  EXPECT_GE(rhythm->period, 3);
  // One late micro-batch in the window; where it is the bottleneck all after it come late.
  for (std::size_t i = 0; i < run.stages[1].schedule.size(); ++i)
    if (run.stages[1].schedule[i].micro_batch == 62) run.times[1][i].seconds *= 2;
  run.played = replay(run, stages);
  EXPECT_FALSE(rhythm_of(stages, run.played, *repetition));
}

class Predicted : public testing::Test {
 protected:
  Simulator simulator(int micro_batches, std::vector<int> tokens = {24}) {
    model::Steps steps(1);
    for (int m = 0; m < micro_batches; ++m) {
      const int length = tokens[static_cast<std::size_t>(m) % tokens.size()];
      steps[0].push_back({{length}, {{1, 4, 4}}, length - 6});
    }
    return {machine_, model_, steps};
  }
  static model::TrainingSettings settings(const std::string& layout, bool overlap) {
    model::TrainingSettings s;
    s.layout = plan::parse_layout(layout);
    s.segments = 2;
    s.bucket_elements = 1 << 18;
    s.overlap = {overlap, overlap, overlap};
    return s;
  }

  Machine machine_ = round_machine();
  plan::ModelConfig model_ = plan::model_preset("nano");
};

TEST_F(Predicted, AveragesTakeTheTimeOfTheirMessages) {
  const auto step = [&](const char* layout, int average_every) {
    model::TrainingSettings s = settings(layout, true);
    s.average_every = average_every;
    return simulator(6).predict(s).step;
  };
  // A sum carries one value of each element; an average, where the step ends with one, three.
  EXPECT_LT(step("tp2", 16), step("tp2", 0));
  EXPECT_LT(step("tp2", 0), step("tp2", 1));
  EXPECT_EQ(step("dp2", 1), step("dp2", 0));
}

TEST_F(Predicted, CutShortIsTheSameAsWhole) {
  for (const auto& [layout, many] : {std::pair{"pp1", 90},
                                     {"pp2", 90},
                                     {"pp4", 171},
                                     {"pp2.v2", 120},
                                     {"dp2.pp2", 177},
                                     {"tp2.pp2", 90},
                                     {"pp2.v2.n4", 203}})
    for (const bool overlap : {false, true}) {
      SCOPED_TRACE(layout);
      Simulator s = simulator(many);
      model::TrainingSettings how = settings(layout, overlap);
      how.broadcast_shapes = overlap;
      const Prediction cut = s.predict(how), whole = summarise(s.play(how));
      EXPECT_LT(cut.replayed, cut.micro_batches);
      EXPECT_NEAR(cut.step, whole.step, 1e-9 * whole.step);
      EXPECT_NEAR(cut.bubble, whole.bubble, 1e-9);
      for (std::size_t l = 0; l < plan::kLanes; ++l)
        EXPECT_NEAR(cut.exposed[l], whole.exposed[l], 1e-9 * whole.step) << l;
      EXPECT_LE(s.at_least(how), whole.step * (1 + 1e-12));
    }
}

/// Nothing goes before the lengths: each takes two messages to the other rank.
TEST_F(Predicted, BroadcastShapesCostTheirMessages) {
  machine_.node.latency = 10;  // else the first forward hides them
  Simulator s = simulator(3);
  model::TrainingSettings how = settings("pp2", false);
  const double without = s.predict(how).step;
  how.broadcast_shapes = true;
  const Prediction with = s.predict(how);
  EXPECT_GT(with.step, without);
  const double lengths = 3 * (2 * machine_.node.latency + 8 * (1 + 7) / machine_.node.bandwidth);
  EXPECT_LE(with.step, without + lengths * (1 + 1e-12));
  how.layout = {};
  EXPECT_EQ(s.predict(how).step, s.predict(settings("pp1", false)).step);
}

TEST_F(Predicted, UnequalMicroBatchesAreAllPlayed) {
  Simulator s = simulator(90, {24, 40, 31});
  const Prediction p = s.predict(settings("pp2", true));
  EXPECT_EQ(p.replayed, 90);
  EXPECT_LE(s.at_least(settings("pp2", true)), p.step);
}

TEST_F(Predicted, OfTheReplicaWithTheMostToDo) {
  // Three micro-batches on two replicas: one has two, and so many the step takes.
  machine_.node.bandwidth = 1e12;
  Simulator two = simulator(2), three = simulator(3), four = simulator(4);
  model::TrainingSettings how = settings("dp2", false);
  how.deterministic = false;  // subtrees of three leaves travel in other numbers than of four
  EXPECT_EQ(three.predict(how).micro_batches, 2);
  EXPECT_NEAR(three.predict(how).step / four.predict(how).step, 1, 0.2);
}

TEST_F(Predicted, MessagesOnAnotherNodeCostMore) {
  Simulator s = simulator(4);
  const double near = s.predict(settings("tp2", false)).step;
  machine_.ranks_per_node = 1;
  Simulator far = simulator(4);
  const Prediction across = far.predict(settings("tp2", false));
  EXPECT_GT(across.step, near);
  EXPECT_GT(across.exposed[static_cast<std::size_t>(plan::Lane::tensor)], 0);
}

}  // namespace
}  // namespace vlmark::sim
