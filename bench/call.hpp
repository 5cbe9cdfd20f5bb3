#pragma once

#include <string>
#include <vector>

#include "src/base/counters.hpp"
#include "src/base/dtype.hpp"

namespace vlmark::bench {

/// One kernel call of a training step, of a decoded token or of the optimizer, as it is timed.
struct Call {
  std::string kernel;    ///< as the recorder names it: "linear_backward_weight"
  std::string layer;     ///< "decoder.qkv"; without a layer the part of the model: "vit"
  std::string model;     ///< whose shape it is
  int tensor_ranks = 1;  ///< that share its layers
  DType type = DType::f32;
  Part part = Part::other;
  long m = 0, n = 0, k = 0;  ///< extents as model::OpRecord has them
  double flops = 0;          ///< model FLOPs; 0 where the recorder counts none
  double bytes = 0;          ///< least memory traffic
  bool recorded = true;      ///< by model::RecordingOps; else by the kernel's header

  // What a record leaves out.
  DType result = DType::f32;  ///< of a product or a copy
  bool bias = false;          ///< of a product
  int heads = 0, kv_heads = 0, head_dim = 0;
  bool causal = false;
  std::vector<int> cu_q, cu_k;  ///< first row of each segment; the last is their end
  long table_rows = 0;          ///< of an embedding

  /// "linear/decoder.qkv/bf16/2B/tp1/1024x2048x1536".
  std::string name() const;
  std::string shape() const;
  /// Memory that its operands take at most, in byte.
  double memory() const;
};

/// What the calls are taken from: one sequence of text behind one picture, all of the text
/// supervised.
struct Work {
  int text = 768;             ///< tokens
  int grid = 32;              ///< patches on each side of the picture
  int cache = 1024;           ///< tokens in the cache of a decoded token
  long optimizer = 1L << 24;  ///< elements of a slice
  bool tiny = false;          ///< a model of a few hundred elements a row, for tests
};

/// The calls of one layer, one ViT block, merger, embedding and head of `model` on the first of
/// `tensor_ranks` ranks, as the recorder saw them forward and backward; on one rank those of a
/// decoded token, too. Equal ones once. Throws ConfigError where so many ranks cannot share it.
std::vector<Call> recorded_calls(const std::string& model, int tensor_ranks, DType type,
                                 const Work& work);

/// What the recorder does not see: optimizer, norm, sums over ranks, and the slices of the head's
/// softmax. FLOPs and bytes are those of the kernels' headers.
std::vector<Call> engine_calls(const std::string& model, int tensor_ranks, DType type,
                               const Work& work);

}  // namespace vlmark::bench
