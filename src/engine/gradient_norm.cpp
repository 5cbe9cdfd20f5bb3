#include "src/engine/gradient_norm.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/reduce.hpp"

namespace vlmark::engine {
namespace {

using plan::Range;
constexpr long block = plan::FlatLayout::block;

/// Elements of a parameter that `tensor_rank` counts: what several ranks hold counts on the first.
/// Tensors that others count lie behind the rest.
long counted_elements(const plan::ParameterTable& table, const plan::Parameter& parameter,
                      int tensor_rank) {
  if (parameter.copy) return 0;
  long count = 0;
  for (const int id : parameter.tensors) {
    const plan::LogicalTensor& tensor = table.tensors[static_cast<std::size_t>(id)];
    if (tensor.sharing != plan::Sharing::split && tensor.holders.begin != tensor_rank) continue;
    expects(tensor.offset == count);
    count += tensor.size();
  }
  return count;
}

}  // namespace

GradientNorm::GradientNorm(const kernels::Exec& exec, const plan::ParameterTable& table,
                           const plan::FlatLayout& layout, const plan::StateLayout& state,
                           const ArenaMemory& memory, const Staging& staging, bool averaged,
                           parallel::Communicator& data, parallel::Communicator& model)
    : exec_(exec),
      layout_(layout),
      staging_(staging),
      data_(data),
      model_(model),
      block_sums_(memory.at<double>(state.block_sums),
                  static_cast<std::size_t>(layout.size() / block)),
      staged_sums_(staging.staged() ? block_sums_.extent(0) : 0),
      sums_(static_cast<std::size_t>(table.whole_parameters * table.shard.tensor_ranks)) {
  for (std::size_t id = 0; id < table.parameters.size(); ++id) {
    const plan::Parameter& parameter = table.parameters[id];
    const bool own = averaged && parameter.sharing == plan::Sharing::replicated;
    const long count =
        own ? parameter.size() : counted_elements(table, parameter, table.shard.tensor_rank);
    if (count == 0) continue;
    const long begin = layout.offset(static_cast<int>(id));
    parts_.push_back({{begin, begin + count},
                      static_cast<std::size_t>(parameter.order * table.shard.tensor_ranks +
                                               table.shard.tensor_rank),
                      own ? static_cast<double>(table.shard.tensor_ranks) : 1.0});
  }
}

template <class S>
void GradientNorm::sum_squares(const S* reduced) {
  Kokkos::deep_copy(exec_, block_sums_, 0.0);
  for (int b = 0; b < layout_.buckets(); ++b) {
    const Range slice = layout_.slice(b, data_.rank());
    for (const Part& part : parts_) {
      const Range here = overlap(part.counted, slice);
      if (here.size() == 0) continue;
      kernels::block_square_sums(
          exec_, kernels::Vec<const S>(reduced + here.begin, static_cast<std::size_t>(here.size())),
          block,
          Kokkos::subview(block_sums_, Kokkos::pair<long, long>(here.begin / block,
                                                                (here.end + block - 1) / block)));
    }
  }
  if (staging_.staged())
    copy_to_host(exec_, block_sums_.data(), staged_sums_.data(),
                 staged_sums_.size() * sizeof(double));
}

template void GradientNorm::sum_squares<float>(const float*);
template void GradientNorm::sum_squares<bf16>(const bf16*);

std::span<double> GradientNorm::host_sums() {
  if (staging_.staged()) return staged_sums_;
  return {block_sums_.data(), block_sums_.size()};
}

double GradientNorm::global() {
  // Every block has one owner and the others hold zero: this sum is exact, and so is the next.
  const std::span<double> blocks = host_sums();
  data_.all_reduce(parallel::buffer(blocks), parallel::Reduce::sum).wait();
  std::fill(sums_.begin(), sums_.end(), 0.0);
  for (const Part& part : parts_)
    for (long b = part.counted.begin / block; b * block < part.counted.end; ++b)
      sums_[part.place] += part.weight * blocks[static_cast<std::size_t>(b)];
  model_.all_reduce(parallel::buffer(sums_), parallel::Reduce::sum).wait();
  double sum = 0;
  for (const double parameter : sums_) sum += parameter;
  return std::sqrt(sum);
}

}  // namespace vlmark::engine
