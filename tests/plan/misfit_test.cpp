#include "src/plan/misfit.hpp"

#include <gmock/gmock.h>

namespace vlmark::plan {
namespace {

using testing::HasSubstr;

TEST(Misfit, NamesTheLargestItemAndBothValues) {
  const std::vector<MemoryItem> items{{"parameters", 2'000'000'000},
                                      {"activations", 5'500'000'000}};
  EXPECT_EQ(misfit("rank 3", items, 7.5e9), "");
  EXPECT_EQ(misfit("rank 3", items, 7e9),
            "rank 3: needs 7.500 GB, but has 7.000 GB, 0.500 GB too few (the largest item is "
            "activations with 5.500 GB). Use shorter micro-batches, recompute more, or a layout of "
            "more tp or pp");
  EXPECT_THAT(misfit("rank 3", {{"parameters", 10}}, 1), HasSubstr(". Use a layout of more tp"));
}

}  // namespace
}  // namespace vlmark::plan
