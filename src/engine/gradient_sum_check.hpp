#pragma once

#include <cstdint>

#include "src/engine/gradient_reducer.hpp"
#include "src/engine/staging.hpp"
#include "src/plan/replay.hpp"

namespace vlmark::engine {

/// Rule V4: elements of the reduced gradient, where replica `rank` of `layout` owns them, that are
/// not the known sum after each of `micro_batches` of a step put
///
///     x(m, i) = (m^2 + i) mod 5 - 1 where m + i is a multiple of ceil(micro_batches / 64), else 0
///
/// into its gradient. The schedule of the step is walked in order, joins, messages and all, so that
/// what adds gradients up in a step is what is tested, in its mode; no layer runs. Every sum is an
/// integer below 256 and so exact in any order, in bf16, too. Overwrites the gradients. Collective
/// over the replicas.
template <class S>
std::uint64_t wrong_gradient_sums(GradientReducer<S>& reducer, const plan::RankPlan& plan,
                                  int micro_batches, const plan::ParameterTable& table,
                                  const plan::FlatLayout& layout, int rank,
                                  const kernels::Exec& exec, const Staging& staging);

extern template std::uint64_t wrong_gradient_sums(GradientReducer<float>&, const plan::RankPlan&,
                                                  int, const plan::ParameterTable&,
                                                  const plan::FlatLayout&, int,
                                                  const kernels::Exec&, const Staging&);
extern template std::uint64_t wrong_gradient_sums(GradientReducer<bf16>&, const plan::RankPlan&,
                                                  int, const plan::ParameterTable&,
                                                  const plan::FlatLayout&, int,
                                                  const kernels::Exec&, const Staging&);

}  // namespace vlmark::engine
