#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "parallel/communicator.hpp"
#include "src/engine/executor.hpp"
#include "src/engine/inference_engine.hpp"
#include "src/model/micro_batch.hpp"
#include "src/model/training_plan.hpp"
#include "src/plan/schedule.hpp"
#include "src/plan/tensor_fill.hpp"

namespace vlmark::engine {

/// One step: the shapes of all its micro-batches, known to every rank, and where a rank gets the
/// contents of its own.
struct StepInput {
  std::vector<plan::MicroBatchShape> shapes;  ///< [micro-batches of the step]
  /// By global index; called for this rank's alone, for as much as its layers read.
  std::function<model::MicroBatch(int, model::Contents)> load;
  double learning_rate = 0;
};

struct StepResult {
  double loss = 0;       ///< mean over the supervised tokens of the step
  double grad_norm = 0;  ///< before clipping
  std::int64_t start_ns = 0, end_ns = 0;
  std::vector<ActionTime> actions;
};

/// The executor of a training schedule on one rank: arena, parameters, ZeRO-1 state, kernels and
/// communicator behind one door. Calls are collective unless said otherwise.
class TrainingEngine {
 public:
  virtual ~TrainingEngine() = default;

  /// Sets every parameter, then zero moments. `fill` is called in pieces and must give every rank
  /// the same values.
  virtual void set_parameters(const plan::TensorFill& fill) = 0;
  /// Makes the parameters of this rank's shard whole where the last step left them sliced
  /// (plan::Overlap::gather), and equal on all tensor ranks where it let their copies part
  /// (TrainingSettings::average_every); to be called before they are read. Collective.
  virtual void gather_parameters() = 0;
  /// Hands out every parameter that this rank holds, in pieces. Not collective.
  virtual void visit_parameters(const plan::TensorVisit& visit) const = 0;
  /// Hands every parameter of the whole model to rank 0 of the world, in pieces. Collective.
  virtual void collect_parameters(const plan::TensorVisit& visit) = 0;
  /// A value of the optimizer for the elements this rank owns; as master weights the bf16 weights
  /// where there are no others. Not collective.
  virtual void visit_owned(plan::OptimizerValue value, const plan::TensorVisit& visit) const = 0;
  /// Hands out the summed gradient of the last step, before clipping, where this rank owns it; of
  /// replicated parameters that are averaged this rank's part.
  virtual void visit_owned_gradients(const plan::TensorVisit& visit) const = 0;
  /// Forward passes with the parameters as they stand; ends before the engine. Not collective.
  virtual std::unique_ptr<InferenceEngine> inference() = 0;
  /// Bytes of what a step changes on this rank: parameters, master weights, moments, counts.
  virtual std::size_t state_bytes() const = 0;
  /// Copies it out; and back in, after which the same step with the same input gives the same
  /// result. Not collective.
  virtual void save_state(std::span<std::byte> to) const = 0;
  virtual void restore_state(std::span<const std::byte> from) = 0;

  /// Throws AgreedError where ranks differ in shapes or learning rate; what the first failed action
  /// threw, and CommError where the step stands still for
  /// `patience`; after either the engine is of no more use.
  virtual StepResult step(const StepInput& input) = 0;

  /// Rule V4: calls visit(name, communicator, elements of its largest message) for every group of
  /// the grid, in the same order on every rank.
  using VisitCommunicator =
      std::function<void(const char* name, parallel::Communicator& comm, long largest)>;
  virtual void visit_communicators(const VisitCommunicator& visit) = 0;
  /// Rule V4: elements, where this rank owns them, that the path which adds gradients up gets wrong
  /// on known integers, in the mode and by the schedule of the last step. Collective.
  virtual std::uint64_t wrong_gradient_sums() = 0;
  /// Rule V6: hash of all parameters as this rank holds them. Not collective.
  virtual std::uint64_t parameter_hash() const = 0;
  /// Rule V6: ranks, of the world, whose parameters, as they stand, are not those of the first rank
  /// that has to hold the same: of replica 0, and what tensor ranks replicate, with master weights and
  /// moments, of tensor rank 0. Behind gather_parameters. Collective.
  virtual int differing_ranks() = 0;
  /// Hash of the owned optimizer state; the sum over ranks does not depend on their number.
  virtual std::uint64_t state_hash() const = 0;
  /// Parameters that are NaN or infinite. Not collective.
  virtual std::size_t non_finite_parameters() const = 0;
};

/// Allocates the arena of `plan`, which model::plan_training made for this rank from the same
/// arguments. `model`, the rank's shard, and `world`, of the layout's ranks, outlive the engine.
/// Collective. Over several ranks messages between replicas and between stages run on threads of
/// their own. Throws DeviceError where the memory is not there, and ConfigError for a layout that
/// the build cannot run.
std::unique_ptr<TrainingEngine> make_training_engine(const model::Qwen2VL& model,
                                                     const model::TrainingSettings& settings,
                                                     const model::MemoryPlan& plan,
                                                     parallel::Communicator& world,
                                                     Patience patience = {});

}  // namespace vlmark::engine
