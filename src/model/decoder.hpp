#pragma once

#include <vector>

#include "src/model/micro_batch.hpp"
#include "src/model/ops.hpp"

namespace vlmark::model {

/// What the backward pass of one decoder layer needs; empty where it is computed again.
struct DecoderSaved {
  Tensor input;                            // of a layer that is computed again as a whole
  Tensor x, scale1, n1, qkv, log_sum, a;   // [tokens, ...]; x and n1 this rank's block of tokens
  Tensor h, scale2, n2, gate_up, product;  // h and n2 likewise
};

/// Keys and values of one sequence, all layers.
struct KvCache {
  std::vector<LayerCache> layers;
  long filled = 0;  ///< tokens seen
};

/// Decoder layer of Qwen2 (arXiv:2407.10671, section 2.2): pre-norm, grouped-query attention with
/// M-RoPE, SwiGLU.
class Decoder {
 public:
  Decoder(const plan::ModelConfig& model, const plan::ParameterTable& table)
      : model_(model), table_(table) {}

  /// Of the heads held here.
  AttentionSpec attention_spec() const {
    return {table_.heads, table_.kv_heads, model_.head_dim(), /*causal=*/true};
  }

  /// Adds the layer's two branches to `stream` [tokens of this rank's block, hidden]. `saved` receives what `backward`
  /// needs; with `cache` (one sequence, no backward pass) attention reads and extends it.
  void forward(Ops& ops, int layer, const MicroBatch& batch, const Tensor& rope_table,
               Tensor& stream, plan::Recompute recompute, DecoderSaved* saved,
               KvCache* cache) const;
  /// Turns the gradient of the layer's output into that of its input, in place.
  void backward(Ops& ops, int layer, const MicroBatch& batch, const Tensor& rope_table,
                Tensor& d_stream, DecoderSaved saved) const;

 private:
  const plan::DecoderLayer& weights(int layer) const {
    return table_.layers[static_cast<std::size_t>(layer)];
  }
  const plan::ModelConfig& model_;
  const plan::ParameterTable& table_;
};

}  // namespace vlmark::model
