#pragma once

#include <array>
#include <span>

#include "src/base/cudnn_attention.hpp"
#include "src/base/device_memory.hpp"
#include "src/base/partition.hpp"
#include "src/model/tensor.hpp"
#include "src/model/token_blocks.hpp"
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
  /// The tensor group that shares every layer; outside of its products each rank holds its block of
  /// tokens (sequence parallelism: Korthikanti et al., arXiv:2205.05198, section 4.2.2).
  int tensor_ranks = 1, tensor_rank = 0;
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

  /// Whether decoder layer `layer` is left out: a planted fault, false but in tests of the rules.
  virtual bool skips_layer(int /*layer*/) const { return false; }

  DType type() const { return settings_.type; }
  const plan::Trainable& trainable() const { return settings_.trainable; }
  plan::Arena& arena() { return arena_; }
  /// Contents undefined.
  Tensor make(long rows, long columns, DType type) { return {arena_, rows, columns, type}; }

  /// How rows are spread over the tensor group outside of products.
  TokenBlocks blocks(long items, long unit = 1) const {
    return {items, unit, settings_.tensor_rank, settings_.tensor_ranks};
  }
  /// Rows of `tokens` that this rank holds.
  long local_rows(long tokens) const { return blocks(tokens).local_rows(); }

  // Inputs.
  /// pixel_values [patches, values] fp32, rounded to the tensors' type.
  Tensor load_pixels(std::span<const float> pixel_values, long patches, long values);
  /// cos and sin [patches, head_dim] fp32 of the ViT's 2-D rotation; hw = [all h | all w].
  Tensor vision_rope_table(std::span<const int> hw, int head_dim);
  /// cos and sin [tokens, head_dim] fp32 of M-RoPE; positions = [all t | all h | all w].
  Tensor mrope_table(std::span<const int> positions, const std::array<int, 3>& section, float theta,
                     int head_dim);
  /// Rows `ids` of the parameter `table`: all ids on every rank, of the rows its block of tokens.
  Tensor embedding(std::span<const int> ids, int table);
  /// `dy`: a stream, this rank's block of tokens. Each rank adds into the rows it holds.
  void embedding_backward(const Tensor& dy, std::span<const int> ids, int table);

  // The residual stream and its gradient are fp32 whatever the tensors' type: sums over all layers
  // are not rounded at each. Branches read a rounded copy.
  Tensor stream(const Tensor& x);
  Tensor zero_stream(long rows, long columns);
  Tensor rounded(const Tensor& stream);
  /// Between a stream and the memory of a message.
  Tensor copied(const Tensor& stream);
  void copy(const Tensor& stream, Tensor& to);
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

  // Layers that the tensor group shares, with its messages around the local product: a stream, its
  // norms and what is saved of them are this rank's block of rows, everything between
  // `gather_linear` and `linear_scatter` all rows of this rank's columns. On one rank each is the
  // call named in brackets. Partial sums travel in fp32 and are added in rank order, so all bits
  // are those of one order whenever a message arrives.
  /// Every rank gets all rows of x, then [linear].
  Tensor gather_linear(const Tensor& x, const TokenBlocks& blocks, const plan::Linear& layer);
  /// [linear_backward]; gathers x once more. Returns the gradient of this rank's block.
  Tensor gather_linear_backward(const Tensor& dy, const Tensor& x, const TokenBlocks& blocks,
                                const plan::Linear& layer);
  /// [add_linear]: stream += the block of this rank of (sum over ranks of x W^T) + b.
  void linear_scatter(const Tensor& x, const TokenBlocks& blocks, const plan::Linear& layer,
                      Tensor& stream);
  /// [linear_backward] from dy of this rank's block, which every rank gets all rows of.
  Tensor linear_scatter_backward(const Tensor& dy, const Tensor& x, const TokenBlocks& blocks,
                                 const plan::Linear& layer);
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
  // The same between rows that the group holds in `blocks` and a list of n of them, rising, which
  // it holds in blocks(n). What is sent depends on n alone, not on where the rows lie, so that
  // bytes and memory are known from the shapes.
  /// [gather_rows]: this rank's block of the list.
  Tensor take_rows(const Tensor& x, const TokenBlocks& blocks, std::span<const int> source);
  /// [scatter_rows] of `rows`, this rank's block of the list.
  void place_rows(Tensor& x, const TokenBlocks& blocks, const Tensor& rows,
                  std::span<const int> destination);
  void zero_rows(Tensor& x, const TokenBlocks& blocks, std::span<const int> rows);

  // Loss.
  /// Cross-entropy of softmax(h W^T) against `targets`, tile by tile. Adds the rows' losses to
  /// `loss_sum`. With `gradient`: dW += and returns dh, both of scale * loss; else an empty tensor.
  /// All targets on every rank; h and dh are its block of the rows, W its slice of the vocabulary,
  /// and the losses are added on tensor rank 0 alone.
  Tensor linear_cross_entropy(const Tensor& h, const plan::Linear& head,
                              std::span<const int> targets, float scale, bool gradient,
                              double& loss_sum);

 protected:
  Ops(const plan::ParameterTable& table, plan::Arena& arena, OpsSettings settings)
      : table_(table), arena_(arena), settings_(settings) {
    expects(settings.tensor_ranks == table.shard.tensor_ranks);
    expects(settings.tensor_rank == table.shard.tensor_rank);
  }

  const plan::ParameterTable& table() const { return table_; }
  bool learns(int parameter) const;
  const OpsSettings& settings() const { return settings_; }

 private:
  Indices indices(std::span<const int> values);
  /// With a place for `most` of them, where their number depends on contents.
  Indices indices(std::span<const int> values, long most);
  /// What this rank holds of a parameter of one tensor.
  const plan::TensorPart& part_of(int parameter) const;
  void linear_backward_bias(const Tensor& dy, const plan::Linear& layer);
  /// All rows of what the group holds in `blocks`.
  Tensor gathered(const char* name, const Tensor& x, const TokenBlocks& blocks);
  /// Of every rank's [blocks.rows(), ...] this rank's block, one below the other in rank order.
  Tensor exchanged(const char* name, const Tensor& parts, const TokenBlocks& blocks);
  /// The sum of the partial sums of all ranks for this rank's block, rounded once.
  Tensor scattered(const char* name, Tensor partial, const TokenBlocks& blocks);
  Tensor sliced_cross_entropy(const Tensor& h, const plan::Linear& head,
                              std::span<const int> targets, float scale, bool gradient,
                              double& loss_sum);
  /// Scratch of cuDNN for one call, [1, bytes]; empty on the own kernel.
  Tensor attention_scratch(const AttentionSpec& spec, std::span<const int> cu_seqlens,
                           AttentionPass pass);
  virtual void run_zero(Tensor& x) = 0;
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
  /// Without the bias, in fp32.
  virtual void run_partial_linear(const Tensor& x, const plan::Linear& layer, Tensor& y) = 0;
  virtual void run_add_bias(int bias, Tensor& stream) = 0;
  /// `dx` of the tensors' type or fp32.
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
  /// Into the rows of y from `first` on.
  virtual void run_gather_rows(const Tensor& x, const Indices& source, Tensor& y, long first) = 0;
  /// The rows of `rows` from `first` on.
  virtual void run_scatter_rows(Tensor& x, const Tensor& rows, long first,
                                const Indices& destination) = 0;
  virtual void run_zero_rows(Tensor& x, const Indices& rows) = 0;
  virtual double run_linear_cross_entropy(const Tensor& h, const plan::Linear& head,
                                          const Indices& targets, float scale, Tensor* dh,
                                          Tensor& losses, Tensor& logits_tile) = 0;

  // Of several tensor ranks; `name` is the call they belong to.
  virtual void run_gather(const char* name, const Tensor& x, const TokenBlocks& blocks,
                          Tensor& all) = 0;
  virtual void run_exchange(const char* name, const Tensor& parts, const TokenBlocks& blocks,
                            Tensor& received) = 0;
  virtual void run_add_blocks(const Tensor& blocks, Tensor& stream) = 0;
  /// Uses `blocks` up.
  virtual void run_sum_blocks(Tensor& blocks, Tensor& y) = 0;
  /// `dh`: fp32, partial. `maxima` [ranks, tile], `sums` [ranks, 2 tile]: what ranks exchange.
  virtual double run_sliced_cross_entropy(const Tensor& h, const plan::Linear& head,
                                          const Indices& targets, float scale, Tensor* dh,
                                          Tensor& losses, Tensor& logits_tile, Tensor& maxima,
                                          Tensor& sums) = 0;

  const plan::ParameterTable& table_;
  plan::Arena& arena_;
  OpsSettings settings_;
};

}  // namespace vlmark::model
