#pragma once

#include <string>
#include <vector>

#include "src/model/ops.hpp"
#include "src/plan/ledger.hpp"

namespace vlmark::model {

/// One product or attention as the recording Ops saw it, for machine models to price.
struct OpRecord {
  const char* name;
  Part part;
  long m, n, k;         ///< product extents; attention: rows, heads, head_dim
  std::uint64_t flops;  ///< model FLOPs
  std::uint64_t bytes;  ///< least memory traffic: operands and results once
};

/// The messages of one call to the tensor group, as this rank sends and receives them.
struct CommunicationRecord {
  const char* name;
  Part part;
  std::uint64_t sent_bytes, received_bytes;
  std::uint64_t messages;  ///< transport operations of this rank: sends and receives
};

/// The attention that wants most scratch of a vendor library.
struct AttentionScratch {
  std::int64_t bytes = 0;               ///< 0: none wants any
  std::int64_t bytes_in_any_order = 0;  ///< the same call without a deterministic sum
  int segments = 0, longest = 0;        ///< of that call
};

/// Runs layers without memory, kernels or ranks and notes what they would cost. The arena it is
/// given ends with the high-water mark of the real run.
class RecordingOps final : public Ops {
 public:
  RecordingOps(const plan::ParameterTable& table, plan::Arena& arena, OpsSettings settings)
      : Ops(table, arena, settings) {}

  const plan::Flops& flops() const { return flops_; }
  const std::vector<OpRecord>& records() const { return records_; }
  const std::vector<CommunicationRecord>& communication() const { return communication_; }
  const AttentionScratch& attention_scratch() const { return scratch_; }

 private:
  void gemm(const char* name, long m, long n, long k);
  void bandwidth(const char* name, std::initializer_list<const Tensor*> tensors);
  void run_zero(Tensor&) override;
  void run_convert(const Tensor&, Tensor&) override;
  void run_add_linear(const Tensor&, const plan::Linear&, Tensor&) override;
  void run_load_pixels(std::span<const float>, Tensor&) override;
  void run_vision_rope_table(const Indices&, Tensor&) override;
  void run_mrope_table(const Indices&, const std::array<int, 3>&, float, Tensor&) override;
  void run_embedding(const Indices&, int, Tensor&) override;
  void run_embedding_backward(const Tensor&, const Indices&, const Tensor&, int) override;
  void run_linear(const Tensor&, const plan::Linear&, Tensor&) override;
  void run_partial_linear(const Tensor&, const plan::Linear&, Tensor&) override;
  void run_add_bias(int, Tensor&) override;
  void run_linear_backward_input(const Tensor&, const plan::Linear&, Tensor&) override;
  void run_linear_backward_weight(const Tensor&, const Tensor&, const plan::Linear&) override;
  void run_bias_backward(const Tensor&, int, Tensor&) override;
  void run_rms_norm(const Tensor&, int, float, Tensor&, Tensor&) override;
  void run_rms_norm_backward(const Tensor&, const Tensor&, int, const Tensor&, Tensor&,
                             Tensor&) override;
  void run_layer_norm(const Tensor&, const plan::LayerNorm&, float, Tensor&, Tensor&) override;
  void run_layer_norm_backward(const Tensor&, const Tensor&, const plan::LayerNorm&, const Tensor&,
                               Tensor&, Tensor&) override;
  void run_activation(Activation, const Tensor&, Tensor&) override;
  void run_activation_backward(Activation, const Tensor&, const Tensor&, Tensor&) override;
  void run_swiglu(const Tensor&, Tensor&) override;
  void run_swiglu_backward(const Tensor&, const Tensor&, Tensor&) override;
  void run_rotate(Tensor&, const Tensor&, int, int, bool) override;
  void note_scratch(const AttentionSpec& spec, const Indices& cu_seqlens, AttentionPass pass,
                    const Tensor& scratch);
  void run_attention(const Tensor&, const AttentionSpec&, const Indices&, Tensor&, Tensor&,
                     const Tensor& scratch) override;
  void run_attention_backward(const Tensor&, const Tensor&, const Tensor&, const AttentionSpec&,
                              const Indices&, const Tensor&, Tensor&, Tensor&,
                              const Tensor& scratch) override;
  void run_attention_cached(const Tensor&, const AttentionSpec&, LayerCache&, long, const Indices&,
                            const Indices&, Tensor&, Tensor&) override;
  void run_gather_rows(const Tensor&, const Indices&, Tensor&, long) override;
  void run_scatter_rows(Tensor&, const Tensor&, long, const Indices&) override;
  void run_zero_rows(Tensor&, const Indices&) override;
  double run_linear_cross_entropy(const Tensor&, const plan::Linear&, const Indices&, float,
                                  Tensor*, Tensor&, Tensor&) override;
  void head(const Tensor& h, const plan::Linear& layer, bool gradient);
  /// `sent[r]` and `received[r]` elements of `size` byte to and from rank r.
  void messages(const char* name, std::span<const long> sent, std::span<const long> received,
                std::size_t size);
  void run_gather(const char*, const Tensor&, const TokenBlocks&, Tensor&) override;
  void run_exchange(const char*, const Tensor&, const TokenBlocks&, Tensor&) override;
  void run_add_blocks(const Tensor&, Tensor&) override;
  void run_sum_blocks(Tensor&, Tensor&) override;
  double run_sliced_cross_entropy(const Tensor&, const plan::Linear&, const Indices&, float,
                                  Tensor*, Tensor&, Tensor&, Tensor&, Tensor&) override;

  plan::Flops flops_;
  std::vector<OpRecord> records_;
  std::vector<CommunicationRecord> communication_;
  AttentionScratch scratch_;
};

}  // namespace vlmark::model
