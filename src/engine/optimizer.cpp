#include "src/engine/optimizer.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/convert.hpp"
#include "kernels/fill.hpp"
#include "kernels/optimizer.hpp"
#include "kernels/reduce.hpp"
#include "src/engine/fingerprint.hpp"

namespace vlmark::engine {
namespace {

using plan::Range;

kernels::Vec<float> vec(float* data, Range range) {
  return kernels::Vec<float>(data + range.begin, static_cast<std::size_t>(range.size()));
}

}  // namespace

template <class T>
Optimizer<T>::Optimizer(const kernels::Exec& exec, const plan::ParameterTable& table,
                        const plan::FlatLayout& layout, const plan::StateLayout& state,
                        const ArenaMemory& memory, const Staging& staging,
                        parallel::Communicator& comm, parallel::Communicator& memory_comm,
                        const plan::OptimizerSettings& settings)
    : table_(table),
      layout_(layout),
      staging_(staging),
      comm_(comm),
      memory_comm_(memory_comm),
      settings_(settings),
      exec_(exec),
      parameters_(memory.at<T>(state.parameters)),
      master_(state.master < 0 ? nullptr : memory.at<float>(state.master)),
      first_moment_(memory.at<float>(state.first_moment)),
      second_moment_(memory.at<float>(state.second_moment)),
      block_sums_("vlmark::block_sums",
                  static_cast<std::size_t>(layout.size() / plan::FlatLayout::block)),
      host_sums_(staging.staged() ? block_sums_.extent(0) : 0) {
  for (const plan::LogicalTensor& tensor : table.tensors)
    tensor_ranges_.push_back(layout.range(tensor));
}

template <class T>
long Optimizer<T>::slice_offset(int b) const {
  return layout_.bucket(b).begin / layout_.ranks();
}

template <class T>
float* Optimizer<T>::master(int b) const {
  if constexpr (std::is_same_v<T, float>)
    return parameters_ + layout_.slice(b, comm_.rank()).begin;
  else
    return master_ + slice_offset(b);
}

template <class T>
void Optimizer<T>::reset() {
  const Range owned{0, layout_.slice_elements()};
  kernels::fill(exec_, 0.0f, vec(first_moment_, owned));
  kernels::fill(exec_, 0.0f, vec(second_moment_, owned));
  vision_steps_ = llm_steps_ = 0;
  if constexpr (!std::is_same_v<T, float>) {
    for (int b = 0; b < layout_.buckets(); ++b) {
      const Range slice = layout_.slice(b, comm_.rank());
      const auto n = static_cast<std::size_t>(slice.size());
      kernels::convert(exec_, kernels::Vec<const T>(parameters_ + slice.begin, n),
                       kernels::Vec<float>(master(b), n));
    }
  }
}

template <class T>
void Optimizer<T>::sum_squares(const float* reduced) {
  constexpr long block = plan::FlatLayout::block;
  Kokkos::deep_copy(exec_, block_sums_, 0.0);
  for (int b = 0; b < layout_.buckets(); ++b) {
    const Range slice = layout_.slice(b, comm_.rank());
    kernels::block_square_sums(
        exec_,
        kernels::Vec<const float>(reduced + slice.begin, static_cast<std::size_t>(slice.size())),
        block,
        Kokkos::subview(block_sums_,
                        Kokkos::pair<long, long>(slice.begin / block, slice.end / block)));
  }
  if (staging_.staged())
    copy_to_host(exec_, block_sums_.data(), host_sums_.data(), host_sums_.size() * sizeof(double));
}

template <class T>
double Optimizer<T>::global_norm() {
  const std::span<double> sums =
      staging_.staged() ? std::span(host_sums_) : std::span(block_sums_.data(), block_sums_.size());
  // Every block has one owner and the others hold zero: this sum is exact.
  comm_.all_reduce(parallel::buffer(sums), parallel::Reduce::sum).wait();
  double sum = 0;
  for (const double block : sums) sum += block;
  return std::sqrt(sum);
}

template <class T>
void Optimizer<T>::begin_step(const plan::Trainable& touched) {
  touched_ = touched;
  vision_steps_ += touched.vision();
  llm_steps_ += touched.llm;
}

template <class T>
void Optimizer<T>::update(int b, const float* reduced, double norm, double learning_rate) {
  const Range slice = layout_.slice(b, comm_.rank());
  const auto clip = static_cast<float>(std::min(1.0, settings_.clip_norm / (norm + 1e-6)));
  for (std::size_t i = 0; i < tensor_ranges_.size(); ++i) {
    const plan::LogicalTensor& tensor = table_.tensors[i];
    const Range part = overlap(tensor_ranges_[i], slice);
    if (part.size() == 0 || !touched_(tensor.group)) continue;
    const bool vision = tensor.group == plan::Group::vit || tensor.group == plan::Group::merger;
    const int step = vision ? vision_steps_ : llm_steps_;
    const kernels::AdamW adamw{learning_rate,
                               settings_.beta1,
                               settings_.beta2,
                               settings_.eps,
                               tensor.decays() ? settings_.weight_decay : 0,
                               1 - std::pow(settings_.beta1, step),
                               1 - std::pow(settings_.beta2, step)};
    const Range local{part.begin - slice.begin, part.end - slice.begin};
    const Range state{slice_offset(b) + local.begin, slice_offset(b) + local.end};
    const auto n = static_cast<std::size_t>(part.size());
    kernels::adamw(exec_, adamw, kernels::Vec<const float>(reduced + part.begin, n), clip,
                   vec(master(b), local), vec(first_moment_, state), vec(second_moment_, state));
    if constexpr (!std::is_same_v<T, float>)
      kernels::convert(exec_, kernels::Vec<const float>(master(b) + local.begin, n),
                       kernels::Vec<T>(parameters_ + part.begin, n));
  }
}

template <class T>
void Optimizer<T>::gather(int b) {
  if (comm_.size() == 1) return;
  const Range whole = layout_.bucket(b), mine = layout_.slice(b, comm_.rank());
  const T* in = parameters_ + mine.begin;
  memory_comm_
      .all_gather(
          parallel::buffer(in, static_cast<std::size_t>(mine.size())),
          parallel::buffer(parameters_ + whole.begin, static_cast<std::size_t>(whole.size())))
      .wait();
}

template <class T>
std::uint64_t Optimizer<T>::state_hash() const {
  // The padding behind the last parameter grows with the number of ranks.
  long end = 0;
  for (const Range& range : tensor_ranges_) end = std::max(end, range.end);
  std::uint64_t hash = 0;
  for (int b = 0; b < layout_.buckets(); ++b) {
    const Range slice = layout_.slice(b, comm_.rank());
    const auto n = static_cast<std::size_t>(overlap({0, end}, slice).size());
    const auto add = [&](const float* values, long stream) {
      staging_.visit(exec_, values, n, [&](std::span<const float> piece, std::size_t first) {
        hash += fingerprint(piece, (stream << 48) + slice.begin + static_cast<long>(first));
      });
    };
    add(master(b), 0);
    add(first_moment_ + slice_offset(b), 1);
    add(second_moment_ + slice_offset(b), 2);
  }
  return hash;
}

template class Optimizer<float>;
template class Optimizer<bf16>;

}  // namespace vlmark::engine
