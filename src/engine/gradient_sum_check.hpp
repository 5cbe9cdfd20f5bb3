#pragma once

#include <cstdint>

#include "src/engine/gradient_reducer.hpp"
#include "src/engine/staging.hpp"
#include "src/plan/replay.hpp"

namespace vlmark::engine {

/// Rule V4: elements of the reduced gradient, where replica `rank` of `layout` owns them, that are
/// not the known sum after each of `micro_batches` of a step put
///
///     x(m, i) = (5 m + i) mod 3 - 1
///
/// into its gradient. The schedule of the step is walked in order, joins, messages and all, so that
/// what adds gradients up in a step is what is tested, in its mode; no layer runs. Sums are integers
/// of at most one a micro-batch and therefore exact, in bf16 for up to 256 of them. Overwrites the
/// gradients. Collective over the replicas.
template <class S>
std::uint64_t wrong_gradient_sums(GradientReducer<S>& reducer, const plan::RankPlan& plan,
                                  int micro_batches, const plan::FlatLayout& layout, int rank,
                                  const kernels::Exec& exec, const Staging& staging);

extern template std::uint64_t wrong_gradient_sums(GradientReducer<float>&, const plan::RankPlan&,
                                                  int, const plan::FlatLayout&, int,
                                                  const kernels::Exec&, const Staging&);
extern template std::uint64_t wrong_gradient_sums(GradientReducer<bf16>&, const plan::RankPlan&,
                                                  int, const plan::FlatLayout&, int,
                                                  const kernels::Exec&, const Staging&);

}  // namespace vlmark::engine
