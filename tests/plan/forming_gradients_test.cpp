#include "src/plan/forming_gradients.hpp"

#include <gtest/gtest.h>

#include "src/plan/schedule_order.hpp"
#include "src/plan/split.hpp"

namespace vlmark::plan {
namespace {

/// Takes and frees places as one rank of the engine does; no two that are taken may overlap.
void play(const FlatLayout& layout, const ScheduleShape& step, FormingGradients places) {
  std::map<std::pair<int, int>, long> taken;
  for (const Action& action : training_schedule(step)) {
    for (const BufferId buffer : action.writes) {
      if (buffer.kind != BufferId::Kind::gradient || action.kind == ActionKind::join_gradients)
        continue;
      const auto [place, is_new] = places.open(buffer.index, buffer.part);
      EXPECT_EQ(is_new, !taken.contains({buffer.index, buffer.part}));
      const long end = place + layout.segment(buffer.part).size();
      EXPECT_LE(end, places.elements());
      for (const auto& [other, begin] : taken) {
        if (other == std::pair{buffer.index, buffer.part}) {
          EXPECT_EQ(begin, place);
        } else {
          EXPECT_TRUE(end <= begin || begin + layout.segment(other.second).size() <= place);
        }
      }
      taken[{buffer.index, buffer.part}] = place;
    }
    if (action.kind != ActionKind::join_gradients) continue;
    const std::pair key{action.micro_batch, action.segment};
    EXPECT_EQ(places.close(key.first, key.second), taken.at(key));
    taken.erase(key);
  }
  EXPECT_TRUE(taken.empty());
}

/// Every unit is a segment of its own.
TEST(FormingGradients, HavePlacesThatNeverMeetInAnySmallerStep) {
  int lagging = 0;
  for (const bool tied : {true, false})
    for (const auto& [pipeline, chunks] : {std::pair{1, 1}, {2, 1}, {2, 2}, {4, 1}})
      for (int rank = 0; rank < pipeline; ++rank) {
        ModelConfig config = model_preset("nano");
        config.tied = tied;
        config.layers = 8;
        const Units units(config);
        Shard shard;
        ScheduleShape shape;
        shape.pipeline = pipeline;
        shape.pipeline_rank = rank;
        shape.chunks = chunks;
        shape.tied = tied;
        shape.end = 3 * pipeline + 1;
        shape.segments.clear();
        const std::vector<double> costs(static_cast<std::size_t>(units.count()), 1.0);
        const auto all = split_chunks(units, costs, pipeline * chunks);
        for (int c = 0; c < chunks; ++c) {
          shard.chunks.emplace_back();
          const UnitRange chunk = all[static_cast<std::size_t>(c * pipeline + rank)];
          for (int u = chunk.begin; u < chunk.end; ++u) shard.chunks.back().push_back({u, u + 1});
          shape.segments.push_back(chunk.end - chunk.begin);
        }
        const ParameterTable table(config, shard);
        const FlatLayout layout(table, 1, 0);
        shape.embedding_segment = std::max(table.shard.segment_of(units.embedding()), 0);
        shape.buckets.clear();
        for (int s = 0; s < shape.segment_count(); ++s)
          shape.buckets.push_back(layout.buckets_of(s).end - layout.buckets_of(s).begin);
        const FormingGradients places(layout, shape);
        EXPECT_LT(places.elements(), layout.size());
        lagging += lagging_gradients(shape) > 1;
        for (ScheduleShape step = shape; step.end >= 0; --step.end) play(layout, step, places);
      }
  EXPECT_GT(lagging, 0);
}

}  // namespace
}  // namespace vlmark::plan
