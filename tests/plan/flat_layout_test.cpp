#include "src/plan/flat_layout.hpp"

#include <gtest/gtest.h>

namespace vlmark::plan {
namespace {

TEST(FlatLayout, SlicesTileBucketsAndCutNoBlock) {
  const ParameterTable table(model_preset("nano"));
  for (const int ranks : {1, 2, 3, 4, 7, 64})
    for (const long bucket : {0L, 1L, 1'000'000L, 100'000'000L}) {
      SCOPED_TRACE(std::to_string(ranks) + " ranks, buckets of " + std::to_string(bucket));
      const FlatLayout layout(table, ranks, bucket);
      long end = 0;
      for (int b = 0; b < layout.buckets(); ++b) {
        EXPECT_EQ(layout.bucket(b).begin, end);
        for (int r = 0; r < ranks; ++r) {
          EXPECT_EQ(layout.slice(b, r).begin, end);
          EXPECT_EQ(layout.slice(b, r).size(), layout.slice(b, 0).size());
          EXPECT_EQ(layout.slice(b, r).size() % FlatLayout::block, 0);
          end = layout.slice(b, r).end;
        }
        EXPECT_EQ(layout.bucket(b).end, end);
      }
      EXPECT_EQ(end, layout.size());
      EXPECT_EQ(layout.slice_elements() * ranks, layout.size());
    }
}

TEST(FlatLayout, PlacesDoNotDependOnRanksAndFollowReverseUse) {
  const ParameterTable table(model_preset("nano"));
  const FlatLayout one(table, 1, 0), many(table, 5, 300'000);
  for (std::size_t p = 0; p < table.parameters.size(); ++p) {
    const int id = static_cast<int>(p);
    EXPECT_EQ(one.offset(id), many.offset(id));
    EXPECT_EQ(one.offset(id) % FlatLayout::block, 0);
    if (p > 0) {
      EXPECT_GE(one.offset(id - 1), one.offset(id) + table.parameters[p].size());
    }
  }
}

Shard in_segments(const ModelConfig& model) {
  const Units u(model);
  return {{{{0, u.embedding()}, {u.embedding(), u.layer(1)}},
           {{u.layer(1), u.layer(3)}, {u.layer(3), u.count()}}}};
}

TEST(FlatLayout, BucketsKeepToTheirSegment) {
  const ModelConfig model = model_preset("nano");
  const ParameterTable table(model, in_segments(model));
  for (const int ranks : {1, 2, 3, 7})
    for (const long bucket : {0L, 1L, 300'000L}) {
      SCOPED_TRACE(std::to_string(ranks) + " ranks, buckets of " + std::to_string(bucket));
      const FlatLayout layout(table, ranks, bucket);
      long end = 0;
      int next = 0;
      for (int segment = table.shard.segments(); segment-- > 0;) {
        const BucketRange buckets = layout.buckets_of(segment);
        EXPECT_EQ(buckets.begin, next);
        next = buckets.end;
        ASSERT_LT(buckets.begin, buckets.end);
        if (bucket == 0) {
          EXPECT_EQ(buckets.end, buckets.begin + 1);
        }
        const Range elements{layout.bucket(buckets.begin).begin,
                             layout.bucket(buckets.end - 1).end};
        for (int b = buckets.begin; b < buckets.end; ++b) {
          EXPECT_EQ(layout.segment_of_bucket(b), segment);
          EXPECT_EQ(layout.bucket(b).begin, end);
          EXPECT_EQ(layout.bucket(b).size() % (ranks * FlatLayout::block), 0);
          end = layout.bucket(b).end;
        }
        for (const LogicalTensor& tensor : table.tensors)
          EXPECT_EQ(overlap(layout.range(tensor), elements).size(),
                    table[tensor.parameter].segment == segment ? tensor.size() : 0)
              << tensor.name;
      }
      EXPECT_EQ(end, layout.size());
      EXPECT_EQ(layout.parameter_elements(), layout.size());
      EXPECT_EQ(layout.buckets(), next);
    }
}

TEST(FlatLayout, CopiesLieBehindAllBuckets) {
  const ModelConfig model = model_preset("nano");
  const Units u(model);
  const ParameterTable table(model, {{{{0, u.layer(0)}, {u.layer(0), u.layer(2)}}}});
  const FlatLayout layout(table, 3, 0);
  ASSERT_TRUE(table[table.embedding].copy);
  EXPECT_EQ(layout.offset(table.embedding), layout.size());
  EXPECT_GE(layout.parameter_elements(), layout.size() + table[table.embedding].size());
  EXPECT_LT(layout.parameter_elements(),
            layout.size() + table[table.embedding].size() + FlatLayout::block);
  EXPECT_EQ(layout.slice_elements() * 3, layout.size());
  EXPECT_EQ(layout.bucket(layout.buckets() - 1).end, layout.size());
}

TEST(FlatLayout, OneSegmentIsPlacedAsIfThereWereNone) {
  const ParameterTable table(model_preset("nano"));
  const FlatLayout layout(table, 3, 1'000'000);
  long end = 0;
  for (std::size_t p = table.parameters.size(); p-- > 0;) {
    EXPECT_EQ(layout.offset(static_cast<int>(p)), end);
    end += (table.parameters[p].size() + 4095) / 4096 * 4096;
  }
  EXPECT_EQ(layout.size(), (end + 3 * 4096 - 1) / (3 * 4096) * (3 * 4096));
  EXPECT_EQ(layout.bucket(0).size(), 82 * 3 * 4096);  // 1,000,000 rounded up
}

}  // namespace
}  // namespace vlmark::plan
