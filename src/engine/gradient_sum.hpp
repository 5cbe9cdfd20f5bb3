#pragma once

#include <vector>

#include "kernels/types.hpp"
#include "src/base/partition.hpp"
#include "src/plan/flat_layout.hpp"

namespace vlmark::engine {

/// Adds one gradient to another. S: type of the sums. In bf16 every addition is rounded
/// stochastically, by bits keyed by seed, tensor, element, step and the micro-batches that the sum
/// covers: what is small beside the sum arrives on average, and additions along one tree have the
/// same bits wherever they happen.
template <class S>
class GradientSum {
 public:
  GradientSum(const kernels::Exec& exec, const plan::ParameterTable& table,
              const plan::FlatLayout& layout, std::uint64_t seed);

  void begin_step() { ++step_; }
  /// Steps begun: part of the key of rounding.
  std::uint64_t steps() const { return step_; }
  void set_steps(std::uint64_t steps) { step_ = steps; }
  /// into += from, both of the elements `flat`. `covers`: micro-batches of the result. From: float
  /// or S.
  template <class From>
  void add(plan::Range flat, S* into, const From* from, const Block& covers) const;

 private:
  const plan::ParameterTable& table_;
  std::vector<plan::Range> tensor_ranges_;  // [logical tensor], flat
  kernels::Exec exec_;
  std::uint64_t seed_, step_ = 0;
};

extern template class GradientSum<float>;
extern template class GradientSum<bf16>;

}  // namespace vlmark::engine
