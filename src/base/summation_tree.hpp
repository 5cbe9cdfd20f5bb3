#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace vlmark {

// The fixed summation tree over the M micro-batches of one step: floating-point sums joined along
// it have the same bits for every number of ranks (docs/architecture.md, idea 2). Everything here
// is a pure function of its arguments; the caller owns the sums and moves them between ranks.
//
//     sum(l, j) = sum(l-1, 2j) + sum(l-1, 2j+1),      sum(0, m) = value of micro-batch m
//
// where a right child that lies beyond M is left out. A rank's contiguous block is a few whole
// nodes: it sums those, sends them, and the owner joins all ranks' nodes in order.

/// Node (l, j) covers micro-batches [j 2^l, min((j+1) 2^l, M)). Cut off by M, a node equals its
/// only child; functions here return the lowest node that covers the same micro-batches.
struct TreeNode {
  int level = 0;
  std::int64_t index = 0;
  bool operator==(const TreeNode&) const = default;

  std::int64_t begin() const { return index << level; }
  std::int64_t end(std::int64_t micro_batches) const {
    const std::int64_t full = (index + 1) << level;
    return full < micro_batches ? full : micro_batches;
  }
};

/// The fewest whole nodes that make up [begin, end), in order: at most 2 ceil(log2(M)), none for an
/// empty block. Throws ValueError unless 0 <= begin <= end <= micro_batches < 2^62.
std::vector<TreeNode> subtrees(std::int64_t begin, std::int64_t end, std::int64_t micro_batches);

/// buffer[into] += buffer[from]; afterwards buffer[from] is free.
struct Join {
  int into = 0, from = 0;
  bool operator==(const Join&) const = default;
};

/// How to sum a run of neighbouring nodes with few buffers: for every input k in order, put its
/// value into buffer `buffer_of_input[k]`, then do `joins_after_input[k]` in order.
struct JoinPlan {
  std::vector<int> buffer_of_input;                  // [inputs]
  std::vector<std::vector<Join>> joins_after_input;  // [inputs]
  int buffers = 0;                                   ///< at most 2 ceil(log2(inputs + 1))
  std::vector<TreeNode> results;  ///< what remains at the end; results[i] lies in buffer i
};

/// Plans the joins of `inputs`, which follow each other without a gap. Leaves of a rank's block
/// give that rank's subtrees(); the subtrees of all ranks, in rank order, give the root in
/// buffer 0. Throws ValueError when an input does not begin where the one before ends or lies
/// outside [0, micro_batches).
JoinPlan plan_joins(std::span<const TreeNode> inputs, std::int64_t micro_batches);

/// The joins of one rank's micro-batches [begin, end).
JoinPlan plan_joins(std::int64_t begin, std::int64_t end, std::int64_t micro_batches);

/// The sum of all values along the tree over values.size() micro-batches (0 for none): what the
/// plans above compute, for scalars that one rank holds all of.
double tree_sum(std::span<const double> values);

}  // namespace vlmark
