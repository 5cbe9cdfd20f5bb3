#pragma once

#include <memory>
#include <vector>

#include "src/model/qwen2vl.hpp"
#include "src/plan/tensor_fill.hpp"

namespace vlmark::engine {

/// Forward passes on one rank: parameters, arena and kernels behind one door. Results come to the
/// host in fp32.
class InferenceEngine {
 public:
  virtual ~InferenceEngine() = default;

  /// Sets every parameter; `fill` is called in pieces.
  virtual void set_parameters(const plan::TensorFill& fill) = 0;

  /// Merger output [merged tokens, hidden] of all media of the batch.
  virtual std::vector<float> vision(const model::MicroBatch& batch) = 0;
  /// Final norm's output [tokens, hidden].
  virtual std::vector<float> hidden(const model::MicroBatch& batch) = 0;
  /// [tokens, vocab]
  virtual std::vector<float> logits(const model::MicroBatch& batch) = 0;

  /// Starts a sequence of at most `capacity` tokens: fills its cache with `prompt` (one sequence)
  /// and returns the logits [vocab] after its last token.
  virtual std::vector<float> prefill(const model::MicroBatch& prompt, long capacity) = 0;
  /// Appends one token and returns the logits [vocab] after it. Needs a prefill; throws ValueError
  /// beyond the capacity.
  virtual std::vector<float> decode(int token) = 0;
};

/// With parameters of its own. `model` outlives the engine. `type`: fp32 or bf16, of parameters and
/// activations. `staged`: as in model::OpsSettings.
std::unique_ptr<InferenceEngine> make_inference_engine(const model::Qwen2VL& model, DType type,
                                                       bool staged = kDeviceMemory);

}  // namespace vlmark::engine
