#pragma once

#include <vector>

#include "src/model/recording_ops.hpp"
#include "src/model/training_plan.hpp"
#include "src/plan/layout.hpp"
#include "src/sim/machine.hpp"

namespace vlmark::sim {

/// Roofline of one recorded call (Williams, Waterman & Patterson, CACM 52(4), 2009):
///
///     max(FLOPs / rate, bytes / memory rate) + launch
///
/// with the rate of attention for attention and that of products for all else. In s.
double seconds(const Machine& machine, const model::OpRecord& op, DType type);

/// Traffic of memory alone, in `kernels` calls.
double memory_seconds(const Machine& machine, double bytes, int kernels = 1);

/// The other ranks of a group, as one of them sees them.
struct Peers {
  int node = 0, network = 0;  ///< how many lie on its own node, and on others

  int count() const { return node + network; }
  /// The link that a collective is as fast as.
  const Link& slowest(const Machine& machine) const {
    return network > 0 ? machine.network : machine.node;
  }
};
/// Ranks first, first + stride, ..., `size` of them; `index` is the one that looks.
Peers peers(const Machine& machine, int first, int stride, int size, int index);

/// `messages` and `bytes`, spread evenly over all peers, one after another.
double direct_seconds(const Machine& machine, const Peers& peers, double messages, double bytes);
/// All-gather or reduce-scatter of `bytes` in all over a group (recursive doubling and halving:
/// Thakur, Rabenseifner & Gropp, IJHPCA 19(1), 2005):
///
///     ceil(log2 n) latency + (n - 1) / n bytes / bandwidth
double collective_seconds(const Machine& machine, const Peers& peers, double bytes);

/// Broadcast of `bytes` along a binomial tree (the same source): ceil(log2 n) messages one after
/// another.
double broadcast_seconds(const Machine& machine, const Peers& peers, double bytes);

/// Time of a pass, and what of it are messages between tensor ranks, which nothing overlaps.
struct PassTime {
  double seconds = 0, tensor = 0;

  PassTime& operator+=(const PassTime& other) {
    seconds += other.seconds;
    tensor += other.tensor;
    return *this;
  }
};

/// Times of one micro-batch on the ranks of one tensor group.
struct UnitTimes {
  std::vector<PassTime> forward, backward;  ///< [units]
  double copy = 0;                          ///< of the residual stream into or out of a message
  double stream_bytes = 0;                  ///< of such a message
  double gradient_bytes = 0;                ///< of one on the way back; 0: nothing goes back
  double lengths_bytes = 0;                 ///< of its shape
};
/// Takes the micro-batch through every unit of the model, recorded by the code that executes it.
/// `first_rank`: of the tensor group.
UnitTimes unit_times(const Machine& machine, const plan::ModelConfig& model,
                     const model::TrainingSettings& settings, const plan::MicroBatchShape& shape,
                     int first_rank = 0);

}  // namespace vlmark::sim
