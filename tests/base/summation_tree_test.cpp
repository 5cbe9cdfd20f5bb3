#include "src/base/summation_tree.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <numeric>

#include "src/base/error.hpp"
#include "src/base/partition.hpp"
#include "tests/support/random_data.hpp"

namespace vlmark::test {
namespace {

using vlmark::test::gaussian;

/// Values between 1e-8 and 1e8 of either sign: almost any other order of additions rounds
/// differently.
std::vector<float> wild_values(std::int64_t count, std::uint64_t seed) {
  std::vector<float> values = gaussian(static_cast<std::size_t>(count), seed);
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] *= std::pow(10.0f, static_cast<float>(i * 7 % 17) - 8);
  return values;
}

/// The definition, word for word: sum(l, j) = sum(l-1, 2j) + sum(l-1, 2j+1).
float defined_sum(const std::vector<float>& values, int level, std::size_t index) {
  if (level == 0) return values[index];
  const float left = defined_sum(values, level - 1, 2 * index);
  if ((2 * index + 1) << (level - 1) >= values.size()) return left;
  return left + defined_sum(values, level - 1, 2 * index + 1);
}

float root_sum(const std::vector<float>& values) {
  const int level = std::bit_width(values.size() - 1);
  return defined_sum(values, level, 0);
}

/// Runs a plan; returns what remains in its buffers.
std::vector<float> played(const JoinPlan& plan, const std::vector<float>& inputs) {
  std::vector<float> buffers(plan.buffers, NAN);
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    buffers.at(plan.buffer_of_input[k]) = inputs[k];
    for (const Join& join : plan.joins_after_input[k]) {
      buffers.at(join.into) += buffers.at(join.from);
      buffers.at(join.from) = NAN;
    }
  }
  buffers.resize(plan.results.size());
  return buffers;
}

/// As `ranks` ranks would: each sums its block to subtrees, an owner joins all subtrees.
float sum_over_ranks(const std::vector<float>& values, const std::vector<Block>& blocks) {
  const auto count = static_cast<std::int64_t>(values.size());
  std::vector<TreeNode> arrived_nodes;
  std::vector<float> arrived;
  for (const Block& block : blocks) {
    const JoinPlan local = plan_joins(block.begin, block.end, count);
    EXPECT_EQ(local.results, subtrees(block.begin, block.end, count));
    const auto sums = played(local, {values.begin() + block.begin, values.begin() + block.end});
    arrived.insert(arrived.end(), sums.begin(), sums.end());
    arrived_nodes.insert(arrived_nodes.end(), local.results.begin(), local.results.end());
  }
  const JoinPlan joins = plan_joins(arrived_nodes, count);
  EXPECT_EQ(joins.results, subtrees(0, count, count));
  EXPECT_EQ(joins.results.size(), 1u);
  return played(joins, arrived).at(0);
}

bool same_bits(float x, float y) {
  return std::bit_cast<std::uint32_t>(x) == std::bit_cast<std::uint32_t>(y);
}

class Tree : public testing::TestWithParam<int> {};

TEST_P(Tree, EveryNumberOfRanksGivesTheSameBits) {
  const int count = GetParam();
  const std::vector<float> values = wild_values(count, 11);
  const float expected = root_sum(values);
  for (const int ranks : {1, 2, 3, 4, 6}) {
    std::vector<Block> blocks;
    for (int rank = 0; rank < ranks; ++rank) blocks.push_back(block_of(count, rank, ranks));
    EXPECT_TRUE(same_bits(sum_over_ranks(values, blocks), expected)) << ranks << " ranks";
  }
}

TEST_P(Tree, EveryCutIntoThreeBlocksGivesTheSameBits) {
  const int count = GetParam();
  const std::vector<float> values = wild_values(count, 12);
  const float expected = root_sum(values);
  for (int i = 0; i <= count; ++i)
    for (int j = i; j <= count; ++j)
      EXPECT_TRUE(same_bits(sum_over_ranks(values, {{0, i}, {i, j}, {j, count}}), expected))
          << "cut at " << i << " and " << j;
}

TEST_P(Tree, BlocksAreFewWholeNodes) {
  const int count = GetParam();
  for (int begin = 0; begin <= count; ++begin)
    for (int end = begin; end <= count; ++end) {
      const std::vector<TreeNode> nodes = subtrees(begin, end, count);
      std::int64_t next = begin;
      for (const TreeNode& node : nodes) {
        EXPECT_EQ(node.begin(), next);
        next = node.end(count);
      }
      EXPECT_EQ(next, end);
      EXPECT_LE(nodes.size(), std::max(1.0, 2 * std::ceil(std::log2(count))));
      EXPECT_LE(plan_joins(begin, end, count).buffers, 2 * std::ceil(std::log2(end - begin + 1)));
    }
}

INSTANTIATE_TEST_SUITE_P(MicroBatches, Tree, testing::Range(1, 18));

TEST(TreeSum, DiffersFromALeftToRightSumSomewhere) {
  // Else the tests above could not tell a tree from a loop.
  int different = 0;
  for (int count = 3; count <= 17; ++count) {
    const std::vector<float> values = wild_values(count, 11);
    different += !same_bits(root_sum(values), std::accumulate(values.begin(), values.end(), 0.0f));
  }
  EXPECT_GT(different, 5);
}

TEST(TreeSum, SixMicroBatchesOnFourRanks) {
  // The tree is ((0 1)(2 3))(4 5); blocks [0,1) [1,3) [3,4) [4,6).
  EXPECT_EQ(subtrees(0, 1, 6), (std::vector<TreeNode>{{0, 0}}));
  EXPECT_EQ(subtrees(1, 3, 6), (std::vector<TreeNode>{{0, 1}, {0, 2}}));
  EXPECT_EQ(subtrees(4, 6, 6), (std::vector<TreeNode>{{1, 2}}));
  EXPECT_EQ(subtrees(0, 6, 6), (std::vector<TreeNode>{{3, 0}}));
  EXPECT_EQ(subtrees(4, 5, 5), (std::vector<TreeNode>{{0, 4}}));  // cut off by M: the lowest node
  EXPECT_TRUE(subtrees(3, 3, 6).empty());
  const JoinPlan plan = plan_joins(0, 6, 6);
  EXPECT_EQ(plan.buffers, 3);
  EXPECT_EQ(plan.joins_after_input[3], (std::vector<Join>{{1, 2}, {0, 1}}));
  EXPECT_EQ(plan.joins_after_input[5], (std::vector<Join>{{1, 2}, {0, 1}}));
}

TEST(TreeSum, OfDoublesFollowsTheDefinition) {
  EXPECT_EQ(tree_sum({}), 0);
  const std::vector<double> values = {1e100, 1, -1e100, 1, 5};
  EXPECT_EQ(tree_sum(values), ((1e100 + 1) + (-1e100 + 1)) + 5);  // 5; left to right gives 6
}

TEST(TreeErrors, RefusesGapsAndBlocksOutOfRange) {
  EXPECT_THROW(subtrees(2, 1, 6), ValueError);
  EXPECT_THROW(subtrees(0, 7, 6), ValueError);
  EXPECT_THROW(subtrees(-1, 2, 6), ValueError);
  EXPECT_THROW(plan_joins(std::vector<TreeNode>{{0, 0}, {0, 2}}, 6), ValueError);
  EXPECT_THROW(plan_joins(std::vector<TreeNode>{{0, 6}}, 6), ValueError);
  EXPECT_THROW(plan_joins(4, 7, 6), ValueError);
}

}  // namespace
}  // namespace vlmark::test
