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
  if (tensor.size() > 1) runs_ = plan::shared_runs(table, layout);
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
  for (const plan::SharedRun& run : runs_) {
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
