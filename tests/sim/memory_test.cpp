#include <gtest/gtest.h>

#include "src/plan/ledger.hpp"
#include "src/sim/ranking.hpp"
#include "tests/sim/machines.hpp"

namespace vlmark::sim {
namespace {

model::MemoryPlan planned(const std::string& layout, int stage, const model::Steps& steps) {
  const plan::ModelConfig model = plan::model_preset("nano");
  model::TrainingSettings settings;
  settings.layout = plan::parse_layout(layout);
  settings.segments = 2;
  const plan::Place place{0, stage, 0};
  const model::Qwen2VL part(model, model::shard_of(model, settings, steps, place));
  return model::plan_training(part, settings, steps, plan::rank_of(settings.layout, place));
}

TEST(PlannedMemory, OfManyEqualMicroBatchesIsThatOfAll) {
  // A sequence cut in two needs as much memory as a whole one, but is another shape: all are played.
  const plan::MicroBatchShape one{{24}, {{1, 4, 4}}, 18}, two{{12, 12}, {{1, 4, 4}}, 18};
  for (const auto& [layout, count] : {std::pair{"pp2", 141},
                                      {"pp4", 146},
                                      {"pp2.v2", 164},
                                      {"pp2.v2.n4", 163},
                                      {"tp2.pp2", 133}}) {
    int cut_short = 0;
    for (int stage = 0; stage < plan::parse_layout(layout).pipeline; ++stage) {
      SCOPED_TRACE(std::string(layout) + " stage " + std::to_string(stage));
      model::Steps equal(1), mixed(1);
      equal[0].assign(static_cast<std::size_t>(count), one);
      mixed = equal;
      mixed[0][static_cast<std::size_t>(count / 2)] = two;
      const model::MemoryPlan few = planned(layout, stage, equal),
                              all = planned(layout, stage, mixed);
      cut_short += few.records.size() < all.records.size();
      EXPECT_EQ(few.arena_bytes, all.arena_bytes);
    }
    EXPECT_GE(cut_short, 1) << layout;
  }
}

TEST(PlannedMemory, CountsTheFlopsOfMicroBatchesItDidNotPlay) {
  const plan::MicroBatchShape shape{{24}, {{1, 4, 4}}, 18};
  model::Steps steps(1);
  steps[0].assign(50, shape);
  plan::Flops sum = planned("pp2", 0, steps).flops;
  sum += planned("pp2", 1, steps).flops;
  EXPECT_EQ(sum.total(), 50 * plan::training_flops(plan::model_preset("nano"), shape, {}).total());
}

TEST(Ranking, TriesPowersOfTwoThenWholeNodes) {
  Machine m = round_machine();
  m.ranks_per_node = 24;
  std::vector<int> tried{1};
  while (tried.back() < 96) tried.push_back(next_ranks(m, tried.back()));
  EXPECT_EQ(tried, (std::vector<int>{1, 2, 4, 8, 16, 24, 48, 96}));
}

TEST(Ranking, OfManyRanksHasEveryLayoutAndTheFastestFirst) {
  const Machine m = round_machine();
  const plan::ModelConfig model = plan::model_preset("nano");
  model::TrainingSettings settings;
  settings.bucket_elements = 1 << 20;
  model::Steps steps(1);
  steps[0].assign(4096, {{24}, {{1, 4, 4}}, 18});
  Ranking ranking(m, model, settings, steps);
  const std::vector<Candidate> all = ranking.all(4096, 2e5);
  EXPECT_EQ(all.size(), legal_layouts(model, 4096, 4096).size());
  ASSERT_TRUE(all[0].prediction);
  for (std::size_t i = 1; i < all.size(); ++i)
    EXPECT_TRUE(!all[i].prediction || all[i - 1].step() <= all[i].step()) << i;
  const Candidate again = ranking.one(all[0].layout);
  EXPECT_EQ(again.step(), all[0].step());
  EXPECT_EQ(again.bytes, all[0].bytes);
}

}  // namespace
}  // namespace vlmark::sim
