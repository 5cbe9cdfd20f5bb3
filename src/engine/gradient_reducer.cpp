#include "src/engine/gradient_reducer.hpp"

#include <algorithm>
#include <string>

#include "kernels/convert.hpp"
#include "kernels/fill.hpp"
#include "kernels/reduce.hpp"
#include "src/base/contracts.hpp"
#include "src/base/error.hpp"
#include "src/base/partition.hpp"

namespace vlmark::engine {

GradientReducer::GradientReducer(const kernels::Exec& exec, const plan::FlatLayout& layout,
                                 const plan::StateLayout& state, const ArenaMemory& memory,
                                 parallel::Communicator& comm, int most, bool deterministic)
    : layout_(layout),
      comm_(comm),
      most_(most),
      deterministic_(deterministic),
      received_(state.received < 0 ? nullptr : memory.at<float>(state.received)),
      exec_(exec) {
  for (const std::int64_t offset : state.gradients) buffers_.push_back(memory.at<float>(offset));
}

kernels::Vec<float> GradientReducer::view(float* base, plan::Range range) const {
  return kernels::Vec<float>(base + range.begin, static_cast<std::size_t>(range.size()));
}

void GradientReducer::begin_step(int micro_batches) {
  if (micro_batches > most_)
    throw ValueError("gradient tree: a step of " + std::to_string(micro_batches) +
                     " micro-batches, but the buffers are planned for " + std::to_string(most_) +
                     ". Plan for the step with the most micro-batches");
  micro_batches_ = micro_batches;
  nodes_.clear();
  for (int r = 0; r < comm_.size(); ++r) {
    Block block = block_of(most_, r, comm_.size());
    block.begin = std::min<std::int64_t>(block.begin, micro_batches);
    block.end = std::min<std::int64_t>(block.end, micro_batches);
    JoinPlan joins = plan_joins(block.begin, block.end, micro_batches);
    nodes_.push_back(joins.results);
    if (r != comm_.rank()) continue;
    begin_ = static_cast<int>(block.begin);
    end_ = static_cast<int>(block.end);
    local_ = std::move(joins);
  }
  ensures(!deterministic_ || local_.buffers <= static_cast<int>(buffers_.size()));
  if (!deterministic_ || begin_ == end_)
    kernels::fill(exec_, 0.0f, view(buffers_[0], {0, layout_.size()}));
}

float* GradientReducer::buffer(int m) {
  if (!deterministic_) return buffers_[0];
  float* buffer = buffers_[static_cast<std::size_t>(
      local_.buffer_of_input[static_cast<std::size_t>(m - begin_)])];
  kernels::fill(exec_, 0.0f, view(buffer, {0, layout_.size()}));
  return buffer;
}

void GradientReducer::join(int m) {
  if (!deterministic_) return;
  const plan::Range all{0, layout_.size()};
  for (const auto& [into, from] : local_.joins_after_input[static_cast<std::size_t>(m - begin_)])
    kernels::add_in_place(exec_, view(buffers_[static_cast<std::size_t>(into)], all),
                          view(buffers_[static_cast<std::size_t>(from)], all));
}

float* GradientReducer::received_from(int rank, std::size_t slice) const {
  float* place = received_;
  for (int r = 0; r < rank; ++r)
    if (r != comm_.rank()) place += nodes_[static_cast<std::size_t>(r)].size() * slice;
  return place;
}

void GradientReducer::exchange(int b) {
  if (comm_.size() == 1) return;
  const int me = comm_.rank();
  const plan::Range whole = layout_.bucket(b), mine = layout_.slice(b, me);
  const auto count = static_cast<std::size_t>(mine.size());
  if (!deterministic_) {
    comm_
        .reduce_scatter(
            parallel::buffer(buffers_[0] + whole.begin, static_cast<std::size_t>(whole.size())),
            parallel::buffer(buffers_[0] + mine.begin, count), parallel::Reduce::sum)
        .wait();
    return;
  }
  std::vector<parallel::Request> requests;
  for (int r = 0; r < comm_.size(); ++r) {
    if (r == me) continue;
    float* place = received_from(r, count);
    for (std::size_t i = 0; i < nodes_[static_cast<std::size_t>(r)].size(); ++i)
      requests.push_back(
          comm_.receive(parallel::buffer(place + i * count, count), r, static_cast<int>(i)));
    const plan::Range theirs = layout_.slice(b, r);
    for (std::size_t i = 0; i < nodes_[static_cast<std::size_t>(me)].size(); ++i)
      requests.push_back(
          comm_.send(parallel::buffer(buffers_[i] + theirs.begin, count), r, static_cast<int>(i)));
  }
  for (parallel::Request& request : requests) std::move(request).wait();
}

void GradientReducer::join_bucket(int b) {
  if (!deterministic_) return;
  const int me = comm_.rank();
  const plan::Range mine = layout_.slice(b, me);
  const auto count = static_cast<std::size_t>(mine.size());
  std::vector<float*> inputs;  // of the tree, in order of micro-batches
  std::vector<TreeNode> leaves;
  for (int r = 0; r < comm_.size(); ++r) {
    const auto& nodes = nodes_[static_cast<std::size_t>(r)];
    float* place = received_from(r, count);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      leaves.push_back(nodes[i]);
      inputs.push_back(r == me ? buffers_[i] + mine.begin : place + i * count);
    }
  }
  const JoinPlan joins = plan_joins(leaves, micro_batches_);
  std::vector<float*> place_of(static_cast<std::size_t>(joins.buffers));
  const plan::Range slice{0, mine.size()};
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    place_of[static_cast<std::size_t>(joins.buffer_of_input[k])] = inputs[k];
    for (const auto& [into, from] : joins.joins_after_input[k])
      kernels::add_in_place(exec_, view(place_of[static_cast<std::size_t>(into)], slice),
                            view(place_of[static_cast<std::size_t>(from)], slice));
  }
  float* result = buffers_[0] + mine.begin;
  if (!place_of.empty() && place_of[0] != result)
    kernels::convert(exec_, kernels::Vec<const float>(place_of[0], count),
                     kernels::Vec<float>(result, count));
}

}  // namespace vlmark::engine
