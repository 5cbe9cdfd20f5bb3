#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "src/base/device_memory.hpp"
#include "src/model/micro_batch.hpp"
#include "src/verification/rows.hpp"

namespace vlmark::verification {

/// Rules V2 and V3 on live operands: in every watched step each distinct product is probed the first
/// time it is called and once more at a random call, and every attention in some of its rows. Called
/// by the thread that calls kernels. Nothing is looked at, and no time spent, between watches.
class StepProbes {
 public:
  /// `seed`: of everything random here. `staged`: copy operands even where the host could read them.
  explicit StepProbes(std::uint64_t seed, bool staged = kDeviceMemory);
  ~StepProbes();

  class Watch {
   public:
    virtual ~Watch() = default;
  };
  /// Probes until the result is destroyed: the length of one step.
  [[nodiscard]] std::unique_ptr<Watch> watch();
  bool watching() const;
  /// Compares the indices of a micro-batch with the model's rule (wrong_positions).
  void check(const model::MicroBatch& batch, const plan::ModelConfig& model,
             model::Contents wanted);

  /// Steps that were watched so far.
  int steps() const;
  /// Time spent in probes so far.
  double seconds() const;
  /// What this rank found. Products are listed by kind: everything but the number of tokens.
  std::vector<Finding> findings() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vlmark::verification
