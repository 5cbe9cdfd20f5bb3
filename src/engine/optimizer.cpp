#include "src/engine/optimizer.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/convert.hpp"
#include "kernels/fill.hpp"
#include "kernels/optimizer.hpp"
#include "src/base/fault.hpp"
#include "src/engine/fingerprint.hpp"
#include "src/engine/rounding.hpp"

namespace vlmark::engine {
namespace {

using plan::Range;

template <class S>
kernels::Vec<S> vec(S* data, Range range) {
  return kernels::Vec<S>(data + range.begin, static_cast<std::size_t>(range.size()));
}

}  // namespace

template <class T, class S>
Optimizer<T, S>::Optimizer(const kernels::Exec& exec, const plan::ParameterTable& table,
                           const plan::FlatLayout& layout, const plan::StateLayout& state,
                           const ArenaMemory& memory, const Staging& staging,
                           parallel::Communicator& comm, const plan::OptimizerSettings& settings,
                           bool averaged)
    : table_(table),
      layout_(layout),
      staging_(staging),
      comm_(comm),
      settings_(settings),
      averaged_(averaged),
      exec_(exec),
      parameters_(memory.at<T>(state.parameters)),
      master_(state.master < 0 ? nullptr : memory.at<S>(state.master)),
      first_moment_(memory.at<S>(state.first_moment)),
      second_moment_(memory.at<S>(state.second_moment)) {
  for (const plan::LogicalTensor& tensor : table.tensors)
    tensor_ranges_.push_back(layout.range(tensor));
}

template <class T, class S>
long Optimizer<T, S>::slice_offset(int b) const {
  return layout_.bucket(b).begin / layout_.ranks();
}

template <class T, class S>
S* Optimizer<T, S>::master(int b) const {
  if constexpr (std::is_same_v<T, S>)
    return parameters_ + layout_.slice(b, comm_.rank()).begin;
  else
    return master_ + slice_offset(b);
}

template <class T, class S>
void Optimizer<T, S>::reset() {
  const Range owned{0, layout_.slice_elements()};
  kernels::fill(exec_, 0.0f, vec(first_moment_, owned));
  kernels::fill(exec_, 0.0f, vec(second_moment_, owned));
  counts_ = {};
  if constexpr (!std::is_same_v<T, S>) {
    for (int b = 0; b < layout_.buckets(); ++b) {
      const Range slice = layout_.slice(b, comm_.rank());
      const auto n = static_cast<std::size_t>(slice.size());
      kernels::convert(exec_, kernels::Vec<const T>(parameters_ + slice.begin, n),
                       kernels::Vec<S>(master(b), n));
    }
  }
}

template <class T, class S>
void Optimizer<T, S>::begin_step(const plan::Trainable& touched) {
  touched_ = touched;
  counts_.vision += touched.vision();
  counts_.llm += touched.llm;
}

template <class T, class S>
void Optimizer<T, S>::make_stale(int b, S* gradient, std::size_t count) {
  std::vector<S> now(count);
  exec_.fence("vlmark::make_stale");
  copy_to_host(exec_, gradient, now.data(), count * sizeof(S));
  std::vector<S>& before = stale_[b];
  if (!before.empty()) copy_to_kernels(exec_, before.data(), gradient, count * sizeof(S));
  before = std::move(now);
}

template <class T, class S>
void Optimizer<T, S>::update(int b, S* reduced, double norm, double learning_rate) {
  const Range slice = layout_.slice(b, comm_.rank());
  if (planted(Fault::stale_gradient))
    make_stale(b, reduced + slice.begin, static_cast<std::size_t>(slice.size()));
  const double clip = std::min(1.0, settings_.clip_norm / (norm + 1e-6));
  for (std::size_t i = 0; i < tensor_ranges_.size(); ++i) {
    const plan::LogicalTensor& tensor = table_.tensors[i];
    const Range part = overlap(tensor_ranges_[i], slice);
    if (part.size() == 0 || !touched_(tensor.group)) continue;
    const bool own = averaged_ && tensor.sharing == plan::Sharing::replicated;
    const auto factor =
        static_cast<float>(own ? clip * static_cast<double>(tensor.holders.size()) : clip);
    const bool vision = tensor.group == plan::Group::vit || tensor.group == plan::Group::merger;
    const int step = vision ? counts_.vision : counts_.llm;
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
    const kernels::Vec<const S> gradient(reduced + part.begin, n);
    const kernels::Vec<S> p = vec(master(b), local), m = vec(first_moment_, state),
                          v = vec(second_moment_, state);
    if constexpr (std::is_same_v<S, float>)
      kernels::adamw(exec_, adamw, gradient, factor, p, m, v);
    else
      kernels::adamw_rounded(
          exec_, adamw, gradient, factor, p, m, v,
          rounding_bits(Philox(settings_.seed, tensor.name), static_cast<std::uint64_t>(step),
                        tensor, part.begin - tensor_ranges_[i].begin));
    if constexpr (!std::is_same_v<T, S>)
      kernels::convert(exec_, kernels::Vec<const S>(master(b) + local.begin, n),
                       kernels::Vec<T>(parameters_ + part.begin, n));
  }
}

template <class T, class S>
std::array<S*, plan::optimizer_values> Optimizer<T, S>::values(int b) const {
  return {master(b), first_moment_ + slice_offset(b), second_moment_ + slice_offset(b)};
}

template <class T, class S>
void Optimizer<T, S>::round_master(int b) {
  if constexpr (!std::is_same_v<T, S>) {
    const Range slice = layout_.slice(b, comm_.rank());
    kernels::convert(exec_,
                     kernels::Vec<const S>(master(b), static_cast<std::size_t>(slice.size())),
                     vec(parameters_, slice));
  }
}

template <class T, class S>
void Optimizer<T, S>::gather(int b) {
  if (comm_.size() == 1) return;
  const Range whole = layout_.bucket(b), mine = layout_.slice(b, comm_.rank());
  const T* in = parameters_ + mine.begin;
  comm_
      .all_gather(
          parallel::buffer(in, static_cast<std::size_t>(mine.size())),
          parallel::buffer(parameters_ + whole.begin, static_cast<std::size_t>(whole.size())))
      .wait();
}

template <class T, class S>
std::uint64_t Optimizer<T, S>::hash(bool replicated_alone) const {
  std::uint64_t hash = 0;
  for (int b = 0; b < layout_.buckets(); ++b) {
    const Range slice = layout_.slice(b, comm_.rank());
    for (std::size_t id = 0; id < table_.parameters.size(); ++id) {
      const plan::Parameter& parameter = table_.parameters[id];
      const long begin = layout_.offset(static_cast<int>(id));
      const Range part = overlap({begin, begin + parameter.size()}, slice);
      if (parameter.copy || part.size() == 0) continue;
      if (replicated_alone && parameter.sharing != plan::Sharing::replicated) continue;
      const auto add = [&](const S* values, long stream) {
        // Where an element stands in the whole model, whoever holds it.
        const long position = (stream << 60) + (long{parameter.order} << 36) + part.begin - begin;
        staging_.visit(exec_, values + (part.begin - slice.begin),
                       static_cast<std::size_t>(part.size()),
                       [&](std::span<const S> piece, std::size_t first) {
                         hash += fingerprint(piece, position + static_cast<long>(first));
                       });
      };
      add(master(b), 0);
      add(first_moment_ + slice_offset(b), 1);
      add(second_moment_ + slice_offset(b), 2);
    }
  }
  return hash;
}

template class Optimizer<float, float>;
template class Optimizer<bf16, float>;
template class Optimizer<bf16, bf16>;

}  // namespace vlmark::engine
