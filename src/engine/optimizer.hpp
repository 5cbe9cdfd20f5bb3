#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "parallel/communicator.hpp"
#include "src/engine/arena_memory.hpp"
#include "src/engine/staging.hpp"
#include "src/plan/flat_layout.hpp"
#include "src/plan/optimizer_settings.hpp"
#include "src/plan/state_layout.hpp"
#include "src/plan/trainable.hpp"

namespace vlmark::engine {

/// The owned slice of master weights and moments, and the steps that change it. T: type of the
/// parameters the layers read, S: of the state; parameters of its type are their own master. In bf16
/// a step rounds stochastically, by bits keyed by seed, tensor, element and step.
template <class T, class S>
class Optimizer {
 public:
  /// `comm` carries kernel memory between data-parallel ranks. `averaged`: of replicated parameters
  /// a tensor rank has its own part of the gradient and takes it times their number.
  Optimizer(const kernels::Exec& exec, const plan::ParameterTable& table,
            const plan::FlatLayout& layout, const plan::StateLayout& state,
            const ArenaMemory& memory, const Staging& staging, parallel::Communicator& comm,
            const plan::OptimizerSettings& settings, bool averaged);

  /// Zero moments; master = parameters on the owned slices.
  void reset();
  /// AdamW on the owned slice of bucket `b`; the gradient is multiplied by the clipping factor of
  /// `norm`. `begin_step` counts the step for the groups it touches.
  void begin_step(const plan::Trainable& touched);
  void update(int b, S* reduced, double norm, double learning_rate);
  /// BEFORE: every rank holds its new slice of bucket `b`. AFTER: every rank holds the bucket.
  /// Collective; no kernels.
  void gather(int b);

  /// Steps that changed each part of the model, for the moments' bias.
  struct Counts {
    int vision = 0, llm = 0;
  };
  const Counts& counts() const { return counts_; }
  void set_counts(const Counts& counts) { counts_ = counts; }

  /// The owned slice of bucket `b`, as exact as the rank has it.
  S* master(int b) const;
  /// What a step changes of the owned slice of bucket `b`; round_master follows whoever changes it.
  std::array<S*, plan::optimizer_values> values(int b) const;
  void round_master(int b);
  /// Fingerprint of the owned master weights and moments: order-independent sum of hashes of (place
  /// in the whole model, bits).
  std::uint64_t state_hash() const { return hash(false); }
  /// The same of the parameters that all tensor ranks hold.
  std::uint64_t replicated_hash() const { return hash(true); }

 private:
  std::uint64_t hash(bool replicated_alone) const;
  /// Fault::stale_gradient: puts the gradient of the step before in the place of this one's.
  void make_stale(int b, S* gradient, std::size_t count);
  /// Place of the owned slice of bucket `b` within the rank's slice buffers.
  long slice_offset(int b) const;

  const plan::ParameterTable& table_;
  const plan::FlatLayout& layout_;
  const Staging& staging_;
  parallel::Communicator& comm_;
  plan::OptimizerSettings settings_;
  bool averaged_;
  kernels::Exec exec_;
  T* parameters_;
  S *master_, *first_moment_, *second_moment_;
  std::vector<plan::Range> tensor_ranges_;  // [logical tensor], flat
  plan::Trainable touched_;  // by this step: nothing where no micro-batch gave a gradient
  Counts counts_;
  std::map<int, std::vector<S>> stale_;  // [bucket] for make_stale
};

extern template class Optimizer<float, float>;
extern template class Optimizer<bf16, float>;
extern template class Optimizer<bf16, bf16>;

}  // namespace vlmark::engine
