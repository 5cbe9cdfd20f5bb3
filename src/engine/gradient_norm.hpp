#pragma once

#include <vector>

#include "parallel/communicator.hpp"
#include "src/engine/arena_memory.hpp"
#include "src/engine/staging.hpp"
#include "src/plan/flat_layout.hpp"
#include "src/plan/state_layout.hpp"

namespace vlmark::engine {

/// Euclidean norm of the gradient of the whole model, which data-parallel ranks hold in slices,
/// pipeline ranks by layers and tensor ranks in parts. Squares are summed in double over blocks of
/// FlatLayout::block elements, blocks over each parameter, parameters over the model, each in one
/// order: slices and stages do not change the bits.
///
/// Where replicated parameters are averaged (TrainingSettings::average_every) a tensor rank has its
/// own part of their gradient and takes it times the number R of ranks for the whole: they count
/// with the mean over the ranks of |R part|^2.
class GradientNorm {
 public:
  /// `data` and `model`: the ranks that hold the same parts, and those of the same replica; both
  /// carry host memory.
  GradientNorm(const kernels::Exec& exec, const plan::ParameterTable& table,
               const plan::FlatLayout& layout, const plan::StateLayout& state,
               const ArenaMemory& memory, const Staging& staging, bool averaged,
               parallel::Communicator& data, parallel::Communicator& model);

  /// Kernels: the blocks of the owned slices.
  template <class S>
  void sum_squares(const S* reduced);
  /// Messages: the norm, the same on all ranks. Collective.
  double global();

 private:
  struct Part {
    plan::Range counted;  ///< flat: what of a parameter this tensor rank counts
    std::size_t place;    ///< in the order of the whole model
    double weight;        ///< of its squares
  };
  std::span<double> host_sums();

  kernels::Exec exec_;
  const plan::FlatLayout& layout_;
  const Staging& staging_;
  parallel::Communicator &data_, &model_;
  kernels::Vec<double> block_sums_;  // [layout.size() / block]
  std::vector<double> staged_sums_;  // the same where the host cannot read those
  std::vector<Part> parts_;          // [parameters with something to count]
  std::vector<double> sums_;         // [parameters of the whole model][tensor ranks]
};

extern template void GradientNorm::sum_squares<float>(const float*);
extern template void GradientNorm::sum_squares<bf16>(const bf16*);

}  // namespace vlmark::engine
