#include "src/engine/shared_parameters.hpp"

#include <algorithm>

#include "kernels/convert.hpp"
#include "kernels/reduce.hpp"

namespace vlmark::engine {

using plan::Range;

SharedParameters::SharedParameters(const kernels::Exec& exec, const plan::ParameterTable& table,
                                   const plan::FlatLayout& layout, const plan::StateLayout& state,
                                   const ArenaMemory& memory, int data_rank, bool averaged,
                                   parallel::Communicator& tensor)
    : exec_(exec),
      layout_(layout),
      data_rank_(data_rank),
      tensor_(tensor),
      scratch_(state.shared < 0 ? nullptr : memory.at<float>(state.shared)) {
  if (tensor.size() == 1) return;
  for (const plan::SharedRun& run : plan::shared_runs(table, layout))
    (averaged && run.sharing == plan::Sharing::replicated ? averaged_ : summed_).push_back(run);
}

template <class Piece>
void SharedParameters::for_each_piece(const std::vector<plan::SharedRun>& runs, int b,
                                      const Piece& piece) const {
  const Range slice = layout_.slice(b, data_rank_);
  for (const plan::SharedRun& run : runs) {
    const Range here = overlap(run.range, slice);
    for (long first = here.begin; first < here.end; first += plan::shared_piece)
      piece(first, static_cast<std::size_t>(std::min(plan::shared_piece, here.end - first)),
            run.holders);
  }
}

template <class S>
float* SharedParameters::exchange(const S* values, std::size_t count, const Block& holders) {
  const auto row = [&](std::int64_t holder) {
    return scratch_ + static_cast<std::size_t>(holder - holders.begin) * count;
  };
  const int me = tensor_.rank();
  kernels::convert(exec_, kernels::Vec<const S>(values, count),
                   kernels::Vec<float>(row(me), count));
  exec_.fence("vlmark::shared_parameters");
  std::vector<parallel::Request> requests;
  for (auto h = holders.begin; h < holders.end; ++h) {
    if (h == me) continue;
    const int peer = static_cast<int>(h);
    requests.push_back(tensor_.receive(parallel::buffer(row(h), count), peer, 0));
    requests.push_back(
        tensor_.send(parallel::buffer(static_cast<const float*>(row(me)), count), peer, 0));
  }
  for (parallel::Request& request : requests) std::move(request).wait();
  return scratch_;
}

template <class S>
void SharedParameters::sum(int b, S* reduced) {
  for_each_piece(summed_, b, [&](long first, std::size_t count, const Block& holders) {
    float* rows = exchange(reduced + first, count, holders);
    const kernels::Vec<float> total(rows, count);
    for (std::size_t h = 1; h < static_cast<std::size_t>(holders.size()); ++h)
      kernels::add_in_place(exec_, total, kernels::Vec<const float>(rows + h * count, count));
    kernels::convert(exec_, kernels::Vec<const float>(total),
                     kernels::Vec<S>(reduced + first, count));
  });
}

template <class S>
void SharedParameters::average(int b, S* slice) {
  S* flat = slice - layout_.slice(b, data_rank_).begin;
  for_each_piece(averaged_, b, [&](long first, std::size_t count, const Block& holders) {
    float* rows = exchange(flat + first, count, holders);
    const kernels::Vec<float> mean(rows, count);
    kernels::mean_of_rows(
        exec_, kernels::Mat<const float>(rows, static_cast<std::size_t>(holders.size()), count),
        mean);
    kernels::convert(exec_, kernels::Vec<const float>(mean), kernels::Vec<S>(flat + first, count));
  });
}

template void SharedParameters::sum<float>(int, float*);
template void SharedParameters::sum<bf16>(int, bf16*);
template void SharedParameters::average<float>(int, float*);
template void SharedParameters::average<bf16>(int, bf16*);

}  // namespace vlmark::engine
