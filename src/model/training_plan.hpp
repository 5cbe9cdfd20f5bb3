#pragma once

#include <span>

#include "src/base/device_memory.hpp"
#include "src/model/record_step.hpp"
#include "src/plan/optimizer_settings.hpp"

namespace vlmark::model {

/// What fixes the arithmetic of a training run besides the model.
struct TrainingSettings {
  DType type = DType::f32;  ///< of parameters and activations
  plan::Trainable trainable;
  plan::Recompute recompute;
  bool deterministic = true;
  long bucket_elements = 0;  ///< 0: one bucket
  plan::OptimizerSettings optimizer;
  bool staged = kDeviceMemory;  ///< as in OpsSettings; true on a host is for tests
  /// The communicator reads the memory of kernels; else messages are staged, too.
  bool device_transport = false;
  AttentionBackend attention = AttentionBackend::own;

  OpsSettings ops() const { return {type, trainable, staged, attention, deterministic}; }
};

/// The memory plan of one rank for steps of at most `micro_batches` over all ranks, of which it
/// runs micro-batches of the given shapes. Needs no memory, kernels or other ranks.
MemoryPlan plan_training(const Qwen2VL& model, const TrainingSettings& settings,
                         std::span<const plan::MicroBatchShape> shapes, int micro_batches, int rank,
                         int ranks);

}  // namespace vlmark::model
