#include "src/engine/gradient_reducer.hpp"

#include <algorithm>
#include <string>

#include "kernels/convert.hpp"
#include "kernels/fill.hpp"
#include "src/base/contracts.hpp"
#include "src/base/error.hpp"
#include "src/base/partition.hpp"

namespace vlmark::engine {

template <class S>
GradientReducer<S>::GradientReducer(const kernels::Exec& exec, const plan::FlatLayout& layout,
                                    const plan::StateLayout& state, const ArenaMemory& memory,
                                    parallel::Communicator& comm, int most, bool deterministic,
                                    GradientSum<S> sum, plan::FormingGradients forming)
    : layout_(layout),
      comm_(comm),
      most_(most),
      deterministic_(deterministic),
      exec_(exec),
      sum_(std::move(sum)),
      forming_(std::move(forming)),
      forming_memory_(state.forming < 0 ? nullptr : memory.at<float>(state.forming)) {
  for (const std::int64_t offset : state.gradients) buffers_.push_back(memory.at<S>(offset));
  for (const std::int64_t offset : state.received) received_.push_back(memory.at<S>(offset));
  for (const auto& offsets : state.extra_gradients) {
    auto& places = extra_.emplace_back();
    for (const std::int64_t offset : offsets) places.push_back(memory.at<S>(offset));
  }
}

template <class S>
void GradientReducer<S>::zero(float* first, long count) const {
  kernels::fill(exec_, 0.0f, kernels::Vec<float>(first, static_cast<std::size_t>(count)));
}

template <class S>
void GradientReducer<S>::begin_step(int micro_batches, const plan::Schedule& schedule,
                                    const plan::ScheduleShape& shape) {
  if (micro_batches > most_)
    throw ValueError("gradient tree: a step of " + std::to_string(micro_batches) +
                     " micro-batches, but the buffers are planned for " + std::to_string(most_) +
                     ". Plan for the step with the most micro-batches");
  sum_.begin_step();
  opened_.clear();
  if (micro_batches != micro_batches_) plan_sums(micro_batches, schedule, shape);
  const bool idle = shape.begin == shape.end;  // and so its sum is zero
  if (idle || (!deterministic_ && !rounds))
    kernels::fill(exec_, 0.0f,
                  kernels::Vec<S>(buffers_[0], static_cast<std::size_t>(layout_.size())));
}

template <class S>
void GradientReducer<S>::plan_sums(int micro_batches, const plan::Schedule& schedule,
                                   const plan::ScheduleShape& shape) {
  micro_batches_ = micro_batches;
  begin_ = shape.begin;
  nodes_.clear();
  for (int r = 0; r < comm_.size(); ++r) {
    const Block block = block_of(most_, r, comm_.size());
    nodes_.push_back(deterministic_
                         ? subtrees(std::min<std::int64_t>(block.begin, micro_batches),
                                    std::min<std::int64_t>(block.end, micro_batches), micro_batches)
                         : subtrees(r, r + 1, comm_.size()));
  }
  local_.clear();
  covers_.clear();
  for (int s = 0; deterministic_ && s < shape.segment_count(); ++s) {
    local_.push_back(rounds ? plan::joined_buffers(shape, micro_batches)
                            : plan::gradient_buffers(schedule, s, shape, micro_batches));
    covers_.emplace_back(static_cast<std::size_t>(local_.back().buffers));
  }
}

template <class S>
S* GradientReducer<S>::buffer(int segment, int i) const {
  const auto place = static_cast<std::size_t>(i);
  if (place < buffers_.size()) return buffers_[place] + layout_.segment(segment).begin;
  return extra_[static_cast<std::size_t>(segment)][place - buffers_.size()];
}

template <class S>
float* GradientReducer<S>::gradient(int m, int segment) {
  const long count = layout_.segment(segment).size();
  if constexpr (rounds) {
    const auto [place, is_new] = forming_.open(m, segment);
    float* to = forming_memory_ + place;
    if (is_new) zero(to, count);
    return to;
  } else {
    if (!deterministic_) return buffer(segment, 0);
    float* to = buffer(
        segment,
        local_[static_cast<std::size_t>(segment)].buffer_of[static_cast<std::size_t>(m - begin_)]);
    if (opened_.emplace(m, segment).second) zero(to, count);
    return to;
  }
}

template <class S>
void GradientReducer<S>::round(int m, int segment) {
  const plan::Range all = layout_.segment(segment);
  const float* formed = forming_memory_ + forming_.close(m, segment);
  if (!deterministic_ && m > begin_) {
    sum_.add(all, buffer(segment, 0), formed, {begin_, m + 1});
    return;
  }
  const int to = deterministic_ ? local_[static_cast<std::size_t>(segment)]
                                      .buffer_of[static_cast<std::size_t>(m - begin_)]
                                : 0;
  const auto count = static_cast<std::size_t>(all.size());
  kernels::convert(exec_, kernels::Vec<const float>(formed, count),
                   kernels::Vec<S>(buffer(segment, to), count));
}

template <class S>
void GradientReducer<S>::join(int m, int segment) {
  if constexpr (rounds) round(m, segment);
  if (!deterministic_) return;
  const auto s = static_cast<std::size_t>(segment), k = static_cast<std::size_t>(m - begin_);
  const auto covers = [&](int i) -> Block& { return covers_[s][static_cast<std::size_t>(i)]; };
  covers(local_[s].buffer_of[k]) = {m, m + 1};
  for (const auto& [into, from] : local_[s].joins[k]) {
    covers(into).end = covers(from).end;
    sum_.add(layout_.segment(segment), buffer(segment, into), buffer(segment, from), covers(into));
  }
}

template <class S>
S* GradientReducer<S>::result(int bucket, std::size_t i) const {
  if (!deterministic_) return buffers_[0];
  const int segment = layout_.segment_of_bucket(bucket);
  return buffer(segment, local_[static_cast<std::size_t>(segment)].buffer_of_result[i]) -
         layout_.segment(segment).begin;
}

template <class S>
S* GradientReducer<S>::received_from(int rank, std::size_t slice, int place) const {
  if (received_.empty()) return nullptr;  // nobody sends any
  S* at = received_[static_cast<std::size_t>(place)];
  for (int r = 0; r < rank; ++r)
    if (r != comm_.rank()) at += nodes_[static_cast<std::size_t>(r)].size() * slice;
  return at;
}

template <class S>
Block GradientReducer<S>::covers(const TreeNode& leaf) const {
  if (deterministic_) return {leaf.begin(), leaf.end(micro_batches_)};
  return block_of(most_, static_cast<int>(leaf.index), comm_.size());
}

template <class S>
void GradientReducer<S>::exchange(int b, int place) {
  if (comm_.size() == 1) return;
  const int me = comm_.rank();
  const plan::Range whole = layout_.bucket(b), mine = layout_.slice(b, me);
  const auto count = static_cast<std::size_t>(mine.size());
  if (!sums_along_tree()) {
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
    S* from = received_from(r, count, place);
    for (std::size_t i = 0; i < nodes_[static_cast<std::size_t>(r)].size(); ++i)
      requests.push_back(
          comm_.receive(parallel::buffer(from + i * count, count), r, static_cast<int>(i)));
    const plan::Range theirs = layout_.slice(b, r);
    for (std::size_t i = 0; i < nodes_[static_cast<std::size_t>(me)].size(); ++i)
      requests.push_back(
          comm_.send(parallel::buffer(result(b, i) + theirs.begin, count), r, static_cast<int>(i)));
  }
  for (parallel::Request& request : requests) std::move(request).wait();
}

template <class S>
void GradientReducer<S>::join_bucket(int b, int place) {
  if (!sums_along_tree()) return;
  const int me = comm_.rank();
  const plan::Range mine = layout_.slice(b, me);
  const auto count = static_cast<std::size_t>(mine.size());
  std::vector<S*> inputs;  // of the tree, in order of micro-batches
  std::vector<TreeNode> leaves;
  for (int r = 0; r < comm_.size(); ++r) {
    const auto& nodes = nodes_[static_cast<std::size_t>(r)];
    S* from = r == me ? nullptr : received_from(r, count, place);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      leaves.push_back(nodes[i]);
      inputs.push_back(r == me ? result(b, i) + mine.begin : from + i * count);
    }
  }
  const JoinPlan joins = plan_joins(leaves, deterministic_ ? micro_batches_ : comm_.size());
  struct Sum {
    S* place = nullptr;
    Block covers;
  };
  std::vector<Sum> sums(static_cast<std::size_t>(joins.buffers));
  const auto sum = [&sums](int i) -> Sum& { return sums[static_cast<std::size_t>(i)]; };
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    sum(joins.buffer_of_input[k]) = {inputs[k], covers(leaves[k])};
    for (const auto& [into, from] : joins.joins_after_input[k]) {
      sum(into).covers.end = sum(from).covers.end;
      sum_.add(mine, sum(into).place, sum(from).place, sum(into).covers);
    }
  }
  S* result = buffers_[0] + mine.begin;
  if (!sums.empty() && sums[0].place != result)
    kernels::convert(exec_, kernels::Vec<const S>(sums[0].place, count),
                     kernels::Vec<S>(result, count));
}

template class GradientReducer<float>;
template class GradientReducer<bf16>;

}  // namespace vlmark::engine
