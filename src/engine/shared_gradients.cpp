#include "src/engine/shared_gradients.hpp"

#include <algorithm>

#include "kernels/convert.hpp"
#include "kernels/reduce.hpp"

namespace vlmark::engine {

using plan::Range;

SharedGradients::SharedGradients(const kernels::Exec& exec, const plan::ParameterTable& table,
                                 const plan::FlatLayout& layout, const plan::StateLayout& state,
                                 const ArenaMemory& memory, int data_rank,
                                 parallel::Communicator& tensor)
    : exec_(exec),
      layout_(layout),
      data_rank_(data_rank),
      tensor_(tensor),
      scratch_(state.shared < 0 ? nullptr : memory.at<float>(state.shared)) {
  if (tensor.size() == 1) return;
  for (const plan::LogicalTensor& tensor_here : table.tensors) {
    if (tensor_here.sharing == plan::Sharing::split || table[tensor_here.parameter].copy) continue;
    if (tensor_here.holders.size() > 1)
      runs_.push_back({layout.range(tensor_here), tensor_here.holders});
  }
  std::sort(runs_.begin(), runs_.end(),
            [](const Run& a, const Run& b) { return a.range.begin < b.range.begin; });
  // Padding between two parameters is zero everywhere: it may travel with them.
  std::vector<Run> joined;
  for (const Run& run : runs_) {
    const bool next = !joined.empty() && joined.back().holders == run.holders &&
                      run.range.begin - joined.back().range.end < plan::FlatLayout::block;
    if (next)
      joined.back().range.end = run.range.end;
    else
      joined.push_back(run);
  }
  runs_ = std::move(joined);
}

template <class S>
void SharedGradients::sum_piece(S* values, std::size_t count, const Block& holders) {
  const int me = tensor_.rank();
  const auto part = [&](std::int64_t h) { return kernels::Vec<float>(received(h), count); };
  kernels::convert(exec_, kernels::Vec<const S>(values, count), part(me));
  exec_.fence("vlmark::shared_gradients");
  std::vector<parallel::Request> requests;
  for (auto h = holders.begin; h < holders.end; ++h) {
    if (h == me) continue;
    const int peer = static_cast<int>(h);
    requests.push_back(tensor_.receive(parallel::buffer(received(h), count), peer, 0));
    requests.push_back(
        tensor_.send(parallel::buffer(static_cast<const float*>(received(me)), count), peer, 0));
  }
  for (parallel::Request& request : requests) std::move(request).wait();
  for (auto h = holders.begin + 1; h < holders.end; ++h)
    kernels::add_in_place(exec_, part(holders.begin), part(h));
  kernels::convert(exec_, kernels::Vec<const float>(part(holders.begin)),
                   kernels::Vec<S>(values, count));
}

template <class S>
void SharedGradients::sum(int b, S* reduced) {
  const Range slice = layout_.slice(b, data_rank_);
  for (const Run& run : runs_) {
    const Range here = overlap(run.range, slice);
    for (long first = here.begin; first < here.end; first += plan::shared_piece) {
      const long count = std::min(plan::shared_piece, here.end - first);
      sum_piece(reduced + first, static_cast<std::size_t>(count), run.holders);
    }
  }
}

template void SharedGradients::sum<float>(int, float*);
template void SharedGradients::sum<bf16>(int, bf16*);

}  // namespace vlmark::engine
