#pragma once

#include <array>
#include <span>

#include "src/base/cudnn_attention.hpp"
#include "src/base/device_memory.hpp"
#include "src/model/tensor.hpp"
#include "src/plan/parameters.hpp"
#include "src/plan/trainable.hpp"

namespace vlmark::model {

/// Heads of one attention; rows of the packed input hold [q heads | k heads | v heads].
struct AttentionSpec {
  int heads = 0, kv_heads = 0, head_dim = 0;
  bool causal = false;

  long q_width() const { return long{heads} * head_dim; }
  long kv_width() const { return long{kv_heads} * head_dim; }
  long qkv_width() const { return q_width() + 2 * kv_width(); }
};

/// Keys (after rotation) and values of the tokens one sequence has seen, for one decoder layer.
struct LayerCache {
  Tensor keys, values;  // [capacity, kv_width]
};

enum class Activation { quick_gelu, gelu };

/// Tensors live in this type; sums and statistics are fp32 everywhere.
struct OpsSettings {
  DType type = DType::f32;
  plan::Trainable trainable;
  /// Kernels cannot read host memory: index arrays get a place in the arena.
  bool staged = kDeviceMemory;
  /// cudnn: attention of bf16 tensors gets the scratch that cuDNN wants for it.
  AttentionBackend attention = AttentionBackend::own;
  bool deterministic = true;  ///< of that attention's backward pass
};

/// Indices of one call: host memory, and a place for them in the arena where kernels need one.
struct Indices {
  std::span<const int> host;
  Tensor place;  ///< [1, n]; empty: kernels read `host`
};

/// What a layer may ask for. Layers are written once against this class; it checks extents and
/// acquires every result and every scratch from the arena, and leaves the work itself to `run_*`,
/// which the executing Ops hands to kernels and the recording Ops to a list of costs. Memory is
/// therefore placed by the same code whether a step is planned or executed.
///
/// Index arrays are host memory and stay alive until the call has returned. `*_backward` adds into
/// the gradient of a parameter that learns and skips one that does not.
class Ops {
 public:
  virtual ~Ops() = default;

  DType type() const { return settings_.type; }
  const plan::Trainable& trainable() const { return settings_.trainable; }
  plan::Arena& arena() { return arena_; }
  /// Contents undefined.
  Tensor make(long rows, long columns, DType type) { return {arena_, rows, columns, type}; }

  // Inputs.
  /// pixel_values [patches, values] fp32, rounded to the tensors' type.
  Tensor load_pixels(std::span<const float> pixel_values, long patches, long values);
  /// cos and sin [patches, head_dim] fp32 of the ViT's 2-D rotation; hw = [all h | all w].
  Tensor vision_rope_table(std::span<const int> hw, int head_dim);
  /// cos and sin [tokens, head_dim] fp32 of M-RoPE; positions = [all t | all h | all w].
  Tensor mrope_table(std::span<const int> positions, const std::array<int, 3>& section, float theta,
                     int head_dim);
  /// Rows `ids` of the parameter `table`.
  Tensor embedding(std::span<const int> ids, int table);
  void embedding_backward(const Tensor& dy, std::span<const int> ids, int table);

  // The residual stream and its gradient are fp32 whatever the tensors' type: sums over all layers
  // are not rounded at each. Branches read a rounded copy.
  Tensor stream(const Tensor& x);
  Tensor zero_stream(long rows, long columns);
  Tensor rounded(const Tensor& stream);
  /// stream += x W^T + b.
  void add_linear(const Tensor& x, const plan::Linear& layer, Tensor& stream);

  // Layers.
  /// y = x W^T + b; `y_type` fp32 keeps the sums of a bf16 product unrounded (logits).
  Tensor linear(const Tensor& x, const plan::Linear& layer, DType y_type);
  Tensor linear(const Tensor& x, const plan::Linear& layer) { return linear(x, layer, type()); }
  /// dW += dy^T x, db += column sums of dy; returns dx = dy W.
  Tensor linear_backward(const Tensor& dy, const Tensor& x, const plan::Linear& layer);
  /// The same where nothing before the layer learns.
  void linear_backward_weight(const Tensor& dy, const Tensor& x, const plan::Linear& layer);
  /// `scale` receives 1 / rms of each row.
  Tensor rms_norm(const Tensor& x, int gain, float eps, Tensor& scale);
  /// d_stream += gradient of the input.
  void rms_norm_backward(const Tensor& dy, const Tensor& x, int gain, const Tensor& scale,
                         Tensor& d_stream);
  /// `statistics` [2, rows] receives mean and 1 / standard deviation of each row.
  Tensor layer_norm(const Tensor& x, const plan::LayerNorm& layer, float eps, Tensor& statistics);
  void layer_norm_backward(const Tensor& dy, const Tensor& x, const plan::LayerNorm& layer,
                           const Tensor& statistics, Tensor& d_stream);
  Tensor activation(Activation kind, const Tensor& x);
  Tensor activation_backward(Activation kind, const Tensor& dy, const Tensor& x);
  /// silu(gate) * up, from [gate | up].
  Tensor swiglu(const Tensor& gate_up);
  Tensor swiglu_backward(const Tensor& dy, const Tensor& gate_up);
  /// Rotates the first `heads` heads of each row in place; `inverse` is the backward pass.
  void rotate(Tensor& x, const Tensor& table, int heads, int head_dim, bool inverse);
  /// Softmax attention inside each segment of `cu_seqlens`; `log_sum` [rows, heads] is saved.
  Tensor attention(const Tensor& qkv, const AttentionSpec& spec, std::span<const int> cu_seqlens,
                   Tensor& log_sum);
  Tensor attention_backward(const Tensor& dy, const Tensor& y, const Tensor& qkv,
                            const AttentionSpec& spec, std::span<const int> cu_seqlens,
                            const Tensor& log_sum);
  /// One sequence: appends the rows' keys and values behind `filled` tokens of the cache and
  /// attends to all of them.
  Tensor attention_cached(const Tensor& qkv, const AttentionSpec& spec, LayerCache& cache,
                          long filled);

  // Rows, of tensors and streams alike.
  Tensor gather_rows(const Tensor& x, std::span<const int> source);
  /// Overwrites rows `destination` of x.
  void scatter_rows(Tensor& x, const Tensor& rows, std::span<const int> destination);
  void zero_rows(Tensor& x, std::span<const int> rows);

  // Loss.
  /// Cross-entropy of softmax(h W^T) against `targets`, tile by tile. Adds the rows' losses to
  /// `loss_sum`. With `gradient`: dW += and returns dh, both of scale * loss; else an empty tensor.
  Tensor linear_cross_entropy(const Tensor& h, const plan::Linear& head,
                              std::span<const int> targets, float scale, bool gradient,
                              double& loss_sum);

 protected:
  Ops(const plan::ParameterTable& table, plan::Arena& arena, OpsSettings settings)
      : table_(table), arena_(arena), settings_(settings) {}

  const plan::ParameterTable& table() const { return table_; }
  bool learns(int parameter) const;
  const OpsSettings& settings() const { return settings_; }

 private:
  Indices indices(std::span<const int> values);
  /// Scratch of cuDNN for one call, [1, bytes]; empty on the own kernel.
  Tensor attention_scratch(const AttentionSpec& spec, std::span<const int> cu_seqlens,
                           AttentionPass pass);
  virtual void run_zero(Tensor& stream) = 0;
  virtual void run_convert(const Tensor& x, Tensor& y) = 0;
  virtual void run_add_linear(const Tensor& x, const plan::Linear& layer, Tensor& stream) = 0;
  virtual void run_load_pixels(std::span<const float> pixel_values, Tensor& y) = 0;
  virtual void run_vision_rope_table(const Indices& hw, Tensor& table) = 0;
  virtual void run_mrope_table(const Indices& positions, const std::array<int, 3>& section,
                               float theta, Tensor& table) = 0;
  virtual void run_embedding(const Indices& ids, int table, Tensor& y) = 0;
  /// `order`: a place for the order of rising ids.
  virtual void run_embedding_backward(const Tensor& dy, const Indices& ids, const Tensor& order,
                                      int table) = 0;
  virtual void run_linear(const Tensor& x, const plan::Linear& layer, Tensor& y) = 0;
  virtual void run_linear_backward_input(const Tensor& dy, const plan::Linear& layer,
                                         Tensor& dx) = 0;
  virtual void run_linear_backward_weight(const Tensor& dy, const Tensor& x,
                                          const plan::Linear& layer) = 0;
  virtual void run_bias_backward(const Tensor& dy, int bias, Tensor& partial_sums) = 0;
  virtual void run_rms_norm(const Tensor& x, int gain, float eps, Tensor& y, Tensor& scale) = 0;
  virtual void run_rms_norm_backward(const Tensor& dy, const Tensor& x, int gain,
                                     const Tensor& scale, Tensor& d_stream,
                                     Tensor& partial_sums) = 0;
  virtual void run_layer_norm(const Tensor& x, const plan::LayerNorm& layer, float eps, Tensor& y,
                              Tensor& statistics) = 0;
  virtual void run_layer_norm_backward(const Tensor& dy, const Tensor& x,
                                       const plan::LayerNorm& layer, const Tensor& statistics,
                                       Tensor& d_stream, Tensor& partial_sums) = 0;
  virtual void run_activation(Activation kind, const Tensor& x, Tensor& y) = 0;
  virtual void run_activation_backward(Activation kind, const Tensor& dy, const Tensor& x,
                                       Tensor& dx) = 0;
  virtual void run_swiglu(const Tensor& gate_up, Tensor& y) = 0;
  virtual void run_swiglu_backward(const Tensor& dy, const Tensor& gate_up, Tensor& d_gate_up) = 0;
  virtual void run_rotate(Tensor& x, const Tensor& table, int heads, int head_dim,
                          bool inverse) = 0;
  virtual void run_attention(const Tensor& qkv, const AttentionSpec& spec,
                             const Indices& cu_seqlens, Tensor& y, Tensor& log_sum,
                             const Tensor& scratch) = 0;
  virtual void run_attention_backward(const Tensor& dy, const Tensor& y, const Tensor& qkv,
                                      const AttentionSpec& spec, const Indices& cu_seqlens,
                                      const Tensor& log_sum, Tensor& d_qkv, Tensor& delta,
                                      const Tensor& scratch) = 0;
  virtual void run_attention_cached(const Tensor& qkv, const AttentionSpec& spec, LayerCache& cache,
                                    long filled, const Indices& cu_q, const Indices& cu_k,
                                    Tensor& y, Tensor& log_sum) = 0;
  virtual void run_gather_rows(const Tensor& x, const Indices& source, Tensor& y) = 0;
  virtual void run_scatter_rows(Tensor& x, const Tensor& rows, const Indices& destination) = 0;
  virtual void run_zero_rows(Tensor& x, const Indices& rows) = 0;
  virtual double run_linear_cross_entropy(const Tensor& h, const plan::Linear& head,
                                          const Indices& targets, float scale, Tensor* dh,
                                          Tensor& losses, Tensor& logits_tile) = 0;

  const plan::ParameterTable& table_;
  plan::Arena& arena_;
  OpsSettings settings_;
};

}  // namespace vlmark::model
