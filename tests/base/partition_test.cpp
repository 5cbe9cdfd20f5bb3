#include "src/base/partition.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "src/base/error.hpp"

namespace vlmark::test {
namespace {

TEST(Partition, BlocksFollowEachOtherAndCoverAllItems) {
  for (int ranks = 1; ranks <= 9; ++ranks)
    for (std::int64_t items = 0; items <= 40; ++items) {
      std::int64_t next = 0;
      for (int rank = 0; rank < ranks; ++rank) {
        const Block block = block_of(items, rank, ranks);
        EXPECT_EQ(block.begin, next);
        EXPECT_EQ(block.begin, items * rank / ranks);
        EXPECT_GE(block.size(), items / ranks);
        EXPECT_LE(block.size(), (items + ranks - 1) / ranks);
        for (std::int64_t item = block.begin; item < block.end; ++item)
          EXPECT_EQ(owner_of(item, items, ranks), rank);
        next = block.end;
      }
      EXPECT_EQ(next, items);
    }
}

TEST(Partition, DoesNotOverflow) {
  const std::int64_t items = std::numeric_limits<std::int64_t>::max();
  const int ranks = 100000;
  EXPECT_EQ(block_of(items, 0, ranks).begin, 0);
  EXPECT_EQ(block_of(items, ranks - 1, ranks).end, items);
  for (const int rank : {1, 777, 99998}) {
    EXPECT_EQ(block_of(items, rank, ranks).begin, block_of(items, rank - 1, ranks).end);
    EXPECT_EQ(owner_of(block_of(items, rank, ranks).begin, items, ranks), rank);
  }
}

TEST(Partition, RefusesWhatIsNoRankOrItem) {
  EXPECT_THROW(block_of(4, 2, 2), ValueError);
  EXPECT_THROW(block_of(4, -1, 2), ValueError);
  EXPECT_THROW(block_of(-1, 0, 2), ValueError);
  EXPECT_THROW(block_of(4, 0, 0), ValueError);
  EXPECT_THROW(owner_of(4, 4, 2), ValueError);
  EXPECT_THROW(owner_of(0, 0, 2), ValueError);
}

}  // namespace
}  // namespace vlmark::test
