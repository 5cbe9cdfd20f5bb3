#include "src/engine/gradient_sum_check.hpp"

#include <algorithm>
#include <set>

namespace vlmark::engine {
namespace {

using plan::ActionKind;

constexpr long kPiece = 1 << 20;  // elements

/// At most 64 of them are not zero, so that all sums are exact: below 256 in bf16, and in fp32 below
/// 2^24 with bits that no narrower format keeps.
long term(long m, long i, long micro_batches, DType state) {
  const long stride = (micro_batches + 63) / 64;
  const long small = (m + i) % stride != 0 ? 0 : (m * m + i) % 5 - 1;
  return state == DType::f32 ? 16'385 * small : small;
}

}  // namespace

template <class S>
std::uint64_t wrong_gradient_sums(GradientReducer<S>& reducer, const plan::RankPlan& plan,
                                  int micro_batches, const plan::ParameterTable& table,
                                  const plan::FlatLayout& layout, int rank,
                                  const kernels::Exec& exec, const Staging& staging) {
  constexpr DType state = std::is_same_v<S, float> ? DType::f32 : DType::bf16;
  reducer.begin_step(micro_batches, plan.schedule, plan.shape);
  const auto add = [&](long m, int segment) {
    const plan::Range all = layout.segment(segment);
    float* to = reducer.gradient(static_cast<int>(m), segment);
    std::vector<float> values;
    for (long first = 0; first < all.size(); first += kPiece) {  // an embedding has a GB
      values.resize(static_cast<std::size_t>(std::min(kPiece, all.size() - first)));
      staging.load(exec, static_cast<const float*>(to + first), std::span<float>(values));
      for (std::size_t i = 0; i < values.size(); ++i)
        values[i] += static_cast<float>(
            term(m, all.begin + first + static_cast<long>(i), micro_batches, state));
      staging.store(exec, std::span<const float>(values), to + first);
    }
  };
  std::set<std::pair<int, int>> added;
  for (const plan::Action& action : plan.schedule) {
    if (action.kind == ActionKind::forward || action.kind == ActionKind::backward) {
      for (const plan::BufferId buffer : action.writes)
        if (buffer.kind == plan::BufferId::Kind::gradient &&
            added.emplace(buffer.index, buffer.part).second)
          add(buffer.index, buffer.part);
    } else if (action.kind == ActionKind::join_gradients) {
      reducer.join(action.micro_batch, action.segment);
    } else if (action.kind == ActionKind::reduce_bucket) {
      exec.fence("vlmark::gradient_sum_check");
      reducer.exchange(action.bucket, action.slot);
    } else if (action.kind == ActionKind::join_bucket) {
      reducer.join_bucket(action.bucket, action.slot);
    }
  }
  std::uint64_t wrong = 0;
  for (int b = 0; b < layout.buckets(); ++b) {
    const plan::Range slice = layout.slice(b, rank);
    std::vector<bool> held(static_cast<std::size_t>(slice.size()));  // not so between tensors
    for (const plan::LogicalTensor& tensor : table.tensors) {
      const plan::Range part = plan::overlap(layout.range(tensor), slice);
      std::fill_n(held.begin() + (part.begin - slice.begin), part.size(), true);
    }
    staging.visit(
        exec, static_cast<const S*>(reducer.reduced() + slice.begin),
        static_cast<std::size_t>(slice.size()), [&](std::span<const S> values, std::size_t first) {
          for (std::size_t i = 0; i < values.size(); ++i) {
            if (!held[first + i]) continue;
            long sum = 0;
            for (int m = 0; m < micro_batches; ++m)
              sum += term(m, slice.begin + static_cast<long>(first + i), micro_batches, state);
            wrong += static_cast<double>(widen(values[i])) == static_cast<double>(sum) ? 0 : 1;
          }
        });
  }
  return wrong;
}

template std::uint64_t wrong_gradient_sums(GradientReducer<float>&, const plan::RankPlan&, int,
                                           const plan::ParameterTable&, const plan::FlatLayout&,
                                           int, const kernels::Exec&, const Staging&);
template std::uint64_t wrong_gradient_sums(GradientReducer<bf16>&, const plan::RankPlan&, int,
                                           const plan::ParameterTable&, const plan::FlatLayout&,
                                           int, const kernels::Exec&, const Staging&);

}  // namespace vlmark::engine
