#pragma once

#include "kernels/attention_library.hpp"
#include "src/base/fault.hpp"
#include "src/engine/arena_memory.hpp"
#include "src/engine/parameter_store.hpp"
#include "src/engine/staging.hpp"
#include "src/engine/tensor_group.hpp"
#include "src/model/ops.hpp"

namespace vlmark::engine {

/// Runs what layers ask for: every `run_*` hands its tensors to kernels. T: the tensors' type.
template <class T>
class ExecutingOps final : public model::Ops {
 public:
  /// `exec`: where kernels go. `settings`: of type T and staged as `staging` is. `staging` and the
  /// rest outlive it. `tensor`: the tensor group, of messages of kernel memory; null for one rank.
  /// Throws DeviceError for attention by cuDNN in a build without it.
  ExecutingOps(const kernels::Exec& exec, const plan::ParameterTable& table, plan::Arena& arena,
               const ArenaMemory& memory, const Staging& staging, ParameterStore<T>& parameters,
               const model::OpsSettings& settings, parallel::Communicator* tensor = nullptr);

  bool skips_layer(int layer) const override { return layer == 1 && planted(Fault::skipped_layer); }

 private:
  using Tensor = model::Tensor;
  using Indices = model::Indices;
  kernels::AttentionScratch scratch_of(const Indices& cu_seqlens, const Tensor& scratch) const;
  template <class U>
  kernels::Mat<U> mat(const Tensor& x) const {
    return memory_.matrix<U>(x);
  }
  /// f(matrix) of the tensor's own element type.
  template <class F>
  void as_stored(const Tensor& x, const F& f) const {
    if (x.type() == DType::f32)
      f(mat<float>(x));
    else
      f(mat<T>(x));
  }

  void run_zero(Tensor& x) override;
  void run_convert(const Tensor& x, Tensor& y) override;
  void run_add_linear(const Tensor& x, const plan::Linear& layer, Tensor& stream) override;
  void run_load_pixels(std::span<const float> pixel_values, Tensor& y) override;
  void run_vision_rope_table(const Indices& hw, Tensor& table) override;
  void run_mrope_table(const Indices& positions, const std::array<int, 3>& section, float theta,
                       Tensor& table) override;
  void run_embedding(const Indices& ids, int table, Tensor& y) override;
  void run_embedding_backward(const Tensor& dy, const Indices& ids, const Tensor& order,
                              int table) override;
  void run_linear(const Tensor& x, const plan::Linear& layer, Tensor& y) override;
  void run_partial_linear(const Tensor& x, const plan::Linear& layer, Tensor& y) override;
  void run_add_bias(int bias, Tensor& stream) override;
  void run_linear_backward_input(const Tensor& dy, const plan::Linear& layer, Tensor& dx) override;
  void run_linear_backward_weight(const Tensor& dy, const Tensor& x,
                                  const plan::Linear& layer) override;
  void run_bias_backward(const Tensor& dy, int bias, Tensor& partial_sums) override;
  void run_rms_norm(const Tensor& x, int gain, float eps, Tensor& y, Tensor& scale) override;
  void run_rms_norm_backward(const Tensor& dy, const Tensor& x, int gain, const Tensor& scale,
                             Tensor& d_stream, Tensor& partial_sums) override;
  void run_layer_norm(const Tensor& x, const plan::LayerNorm& layer, float eps, Tensor& y,
                      Tensor& statistics) override;
  void run_layer_norm_backward(const Tensor& dy, const Tensor& x, const plan::LayerNorm& layer,
                               const Tensor& statistics, Tensor& d_stream,
                               Tensor& partial_sums) override;
  void run_activation(model::Activation kind, const Tensor& x, Tensor& y) override;
  void run_activation_backward(model::Activation kind, const Tensor& dy, const Tensor& x,
                               Tensor& dx) override;
  void run_swiglu(const Tensor& gate_up, Tensor& y) override;
  void run_swiglu_backward(const Tensor& dy, const Tensor& gate_up, Tensor& d_gate_up) override;
  void run_rotate(Tensor& x, const Tensor& table, int heads, int head_dim, bool inverse) override;
  void run_attention(const Tensor& qkv, const model::AttentionSpec& spec, const Indices& cu_seqlens,
                     Tensor& y, Tensor& log_sum, const Tensor& scratch) override;
  void run_attention_backward(const Tensor& dy, const Tensor& y, const Tensor& qkv,
                              const model::AttentionSpec& spec, const Indices& cu_seqlens,
                              const Tensor& log_sum, Tensor& d_qkv, Tensor& delta,
                              const Tensor& scratch) override;
  void run_attention_cached(const Tensor& qkv, const model::AttentionSpec& spec,
                            model::LayerCache& cache, long filled, const Indices& cu_q,
                            const Indices& cu_k, Tensor& y, Tensor& log_sum) override;
  void run_gather_rows(const Tensor& x, const Indices& source, Tensor& y, long first) override;
  void run_scatter_rows(Tensor& x, const Tensor& rows, long first,
                        const Indices& destination) override;
  void run_zero_rows(Tensor& x, const Indices& rows) override;
  double run_linear_cross_entropy(const Tensor& h, const plan::Linear& head, const Indices& targets,
                                  float scale, Tensor* dh, Tensor& losses,
                                  Tensor& logits_tile) override;
  void run_gather(const char* name, const Tensor& x, const model::TokenBlocks& blocks,
                  Tensor& all) override;
  void run_exchange(const char* name, const Tensor& parts, const model::TokenBlocks& blocks,
                    Tensor& received) override;
  void run_add_blocks(const Tensor& blocks, Tensor& stream) override;
  void run_sum_blocks(Tensor& blocks, Tensor& y) override;
  double run_sliced_cross_entropy(const Tensor& h, const plan::Linear& head, const Indices& targets,
                                  float scale, Tensor* dh, Tensor& losses, Tensor& logits_tile,
                                  Tensor& maxima, Tensor& sums) override;
  /// Sum of [1, n] losses.
  double total(const Tensor& losses) const;

  kernels::Vec<float> gradient_or_none(int parameter) const;
  /// Where kernels read them.
  kernels::Vec<const int> indices(const Indices& values) const {
    return indices(values.host, values.place);
  }
  kernels::Vec<const int> indices(std::span<const int> host, const Tensor& place) const;

  kernels::Exec exec_;
  const ArenaMemory& memory_;
  const Staging& staging_;
  ParameterStore<T>& parameters_;
  TensorGroup group_;
};

extern template class ExecutingOps<float>;
extern template class ExecutingOps<bf16>;

}  // namespace vlmark::engine
