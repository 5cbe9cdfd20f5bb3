#include "src/base/summation_tree.hpp"

#include <algorithm>
#include <string>

#include "src/base/error.hpp"

namespace vlmark {
namespace {

/// The lowest node that covers the same micro-batches: goes down while the right child is empty.
TreeNode lowest(TreeNode node, std::int64_t micro_batches) {
  while (node.level > 0 && node.begin() + (std::int64_t{1} << (node.level - 1)) >= micro_batches)
    node = {node.level - 1, node.index * 2};
  return node;
}

/// True when the two nodes, neighbours in order, are the two children of one node.
bool siblings(const TreeNode& left, const TreeNode& right, std::int64_t micro_batches) {
  // A left child with a right sibling is never cut off, so its level says how long it is.
  const TreeNode parent = {left.level + 1, left.index / 2};
  return left.index % 2 == 0 && right.begin() == left.end(micro_batches) &&
         right.end(micro_batches) == parent.end(micro_batches);
}

}  // namespace

std::vector<TreeNode> subtrees(std::int64_t begin, std::int64_t end, std::int64_t micro_batches) {
  if (begin < 0 || begin > end || end > micro_batches || micro_batches >= std::int64_t{1} << 62)
    throw ValueError("subtrees: block [" + std::to_string(begin) + ", " + std::to_string(end) +
                     ") of " + std::to_string(micro_batches) +
                     " micro-batches (expected 0 <= begin <= end <= micro-batches < 2^62). Check "
                     "the layout");
  std::vector<TreeNode> nodes;
  while (begin < end) {
    TreeNode node = {0, begin};
    // Grow while the next level starts here too and still ends inside the block.
    while (node.index % 2 == 0 && node.end(micro_batches) < end) {
      const TreeNode parent = {node.level + 1, node.index / 2};
      if (parent.end(micro_batches) > end) break;
      node = parent;
    }
    nodes.push_back(lowest(node, micro_batches));
    begin = node.end(micro_batches);
  }
  return nodes;
}

JoinPlan plan_joins(std::span<const TreeNode> inputs, std::int64_t micro_batches) {
  JoinPlan plan;
  std::vector<TreeNode>& stack = plan.results;  // stack[i] lies in buffer i
  for (const TreeNode& input : inputs) {
    const std::int64_t expected = stack.empty() ? input.begin() : stack.back().end(micro_batches);
    if (input.level < 0 || input.begin() < 0 || input.begin() >= micro_batches ||
        input.begin() != expected)
      throw ValueError("plan_joins: node (level " + std::to_string(input.level) + ", index " +
                       std::to_string(input.index) + ") begins at " +
                       std::to_string(input.begin()) + " (expected " + std::to_string(expected) +
                       ", below " + std::to_string(micro_batches) +
                       "). Pass neighbouring nodes in order");
    plan.buffer_of_input.push_back(static_cast<int>(stack.size()));
    std::vector<Join>& joins = plan.joins_after_input.emplace_back();
    stack.push_back(lowest(input, micro_batches));
    plan.buffers = std::max(plan.buffers, static_cast<int>(stack.size()));
    while (stack.size() > 1 && siblings(stack.end()[-2], stack.end()[-1], micro_batches)) {
      const int left = static_cast<int>(stack.size()) - 2;
      joins.push_back({left, left + 1});
      stack.pop_back();
      stack.back() = {stack.back().level + 1, stack.back().index / 2};
    }
  }
  return plan;
}

JoinPlan plan_joins(std::int64_t begin, std::int64_t end, std::int64_t micro_batches) {
  subtrees(begin, end, micro_batches);  // refuses what is no block
  std::vector<TreeNode> leaves;
  leaves.reserve(static_cast<std::size_t>(end - begin));
  for (std::int64_t m = begin; m < end; ++m) leaves.push_back({0, m});
  return plan_joins(leaves, micro_batches);
}

double tree_sum(std::span<const double> values) {
  if (values.empty()) return 0;
  const JoinPlan plan = plan_joins(0, static_cast<std::int64_t>(values.size()),
                                   static_cast<std::int64_t>(values.size()));
  std::vector<double> sums(plan.buffers);
  for (std::size_t m = 0; m < values.size(); ++m) {
    sums[plan.buffer_of_input[m]] = values[m];
    for (const Join& join : plan.joins_after_input[m]) sums[join.into] += sums[join.from];
  }
  return sums[0];
}

}  // namespace vlmark
