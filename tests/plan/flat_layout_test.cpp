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

}  // namespace
}  // namespace vlmark::plan
