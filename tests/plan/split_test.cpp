#include "src/plan/split.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <numeric>

#include "src/base/error.hpp"
#include "tests/plan/random_layouts.hpp"

namespace vlmark::plan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

ModelConfig small(int blocks, int layers) {
  ModelConfig model = model_preset("nano");
  model.vision.depth = blocks;
  model.layers = layers;
  return model;
}

double sum(const std::vector<double>& cost, UnitRange run) {
  return std::accumulate(cost.begin() + run.begin, cost.begin() + run.end, 0.0);
}

/// Every legal cut, tried one by one: the least dearest chunk.
double by_hand(const std::vector<double>& cost, const Units& units, int begin, int chunks) {
  if (chunks == 1) return sum(cost, {begin, units.count()});
  double best = 1e300;
  const int least = std::max(begin, units.layer(0)) + 1;
  for (int end = least; end + chunks - 1 <= units.head(); ++end)
    best = std::min(best, std::max(sum(cost, {begin, end}), by_hand(cost, units, end, chunks - 1)));
  return best;
}

TEST(SplitChunks, IsTheBestOfAllCuts) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    test::Draws draw(seed, "split");
    const ModelConfig model = small(draw.from(1, 4), draw.from(1, 9));
    const Units units(model);
    std::vector<double> cost;
    for (int u = 0; u < units.count(); ++u) cost.push_back(draw.below(10));
    const int chunks = draw.from(1, model.layers);
    const auto split = split_chunks(units, cost, chunks);
    ASSERT_EQ(static_cast<int>(split.size()), chunks);
    double dearest = 0;
    int end = 0;
    for (const UnitRange run : split) {
      EXPECT_EQ(run.begin, end);
      end = run.end;
      dearest = std::max(dearest, sum(cost, run));
      EXPECT_GT(std::min(run.end, units.head()), std::max(run.begin, units.layer(0)));
    }
    EXPECT_EQ(end, units.count());
    EXPECT_GT(split[0].end, units.layer(0));
    EXPECT_EQ(dearest, by_hand(cost, units, 0, chunks)) << "seed " << seed;
  }
}

/// Where the first chunk is dear whatever one does, the others are still cut evenly.
TEST(SplitChunks, LevelsTheOthersUnderTheDearest) {
  const Units units(small(1, 7));  // 0..3 in front, layers 4..10, head 11
  std::vector<double> cost(12, 1.0);
  cost[1] = 100;
  const auto split = split_chunks(units, cost, 3);
  EXPECT_THAT(split, ElementsAre(UnitRange{0, 5}, UnitRange{5, 8}, UnitRange{8, 12}));
}

TEST(SplitChunks, GivesTheViTFewerLayersBesideIt) {
  const ModelConfig model = model_preset("7B");
  const Units units(model);
  std::vector<double> cost(static_cast<std::size_t>(units.count()), 0.0);
  for (int b = 0; b < model.vision.depth; ++b)
    cost[static_cast<std::size_t>(units.block(b))] = 0.25;
  for (int l = 0; l < model.layers; ++l) cost[static_cast<std::size_t>(units.layer(l))] = 1;
  cost[static_cast<std::size_t>(units.head())] = 2;
  const auto split = split_chunks(units, cost, 2);  // 8 + 28 + 2 = 38
  EXPECT_EQ(split[0].end, units.layer(11));
}

TEST(SplitChunks, RefusesMoreChunksThanLayersAndCostsThatAreNone) {
  const Units units(small(1, 3));
  std::vector<double> cost(static_cast<std::size_t>(units.count()), 1.0);
  EXPECT_THAT([&] { split_chunks(units, cost, 4); },
              ThrowsMessage<ValueError>(HasSubstr("4 chunks for 3 decoder layers")));
  cost[2] = -1;
  EXPECT_THAT([&] { split_chunks(units, cost, 2); },
              ThrowsMessage<ValueError>(HasSubstr("unit 2 costs -1")));
  cost.pop_back();
  EXPECT_THAT([&] { split_chunks(units, cost, 2); },
              ThrowsMessage<ValueError>(HasSubstr("7 costs for 8 units")));
}

TEST(SplitSegments, AreEvenAndNeverEmpty) {
  const std::vector<double> cost{9, 9, 1, 1, 1, 1, 2, 2};
  EXPECT_THAT(split_segments(cost, {2, 8}, 2), ElementsAre(UnitRange{2, 6}, UnitRange{6, 8}));
  EXPECT_THAT(split_segments(cost, {2, 4}, 5), ElementsAre(UnitRange{2, 3}, UnitRange{3, 4}));
  EXPECT_THAT(split_segments(std::vector<double>(4, 0.0), {0, 4}, 4).size(), 4u);
}

}  // namespace
}  // namespace vlmark::plan
