#include "src/engine/executing_ops.hpp"

#include "kernels/activation.hpp"
#include "kernels/blocks.hpp"
#include "kernels/convert.hpp"
#include "kernels/embedding.hpp"
#include "kernels/fill.hpp"
#include "kernels/gemm.hpp"
#include "kernels/norm.hpp"
#include "kernels/observer.hpp"
#include "kernels/planted_fault.hpp"
#include "kernels/rotary.hpp"
#include "kernels/rows.hpp"
#include "src/base/fault.hpp"
#include "src/engine/packed_qkv.hpp"

namespace vlmark::engine {
namespace {

using kernels::Mat;
using kernels::Trans;
using kernels::Vec;
using model::AttentionSpec;

template <class T>
Mat<T> rows_from(const Mat<T>& m, long first, std::size_t count) {
  const auto begin = static_cast<std::size_t>(first);
  return Kokkos::subview(m, Kokkos::pair<std::size_t, std::size_t>(begin, begin + count),
                         Kokkos::ALL);
}

template <class T>
kernels::Operand<const void*> untyped(const Mat<T>& m) {
  return {m.data(), static_cast<long>(m.stride(0))};
}

/// What head 0 has in `row`.
template <class T>
Mat<T> head_row(const Mat<T>& m, int row, int head_dim) {
  return Kokkos::subview(m, Kokkos::pair<int, int>(row, row + 1),
                         Kokkos::pair<int, int>(0, head_dim));
}

}  // namespace

template <class T>
ExecutingOps<T>::ExecutingOps(const kernels::Exec& exec, const plan::ParameterTable& table,
                              plan::Arena& arena, const ArenaMemory& memory, const Staging& staging,
                              ParameterStore<T>& parameters, const model::OpsSettings& settings,
                              parallel::Communicator* tensor)
    : Ops(table, arena, settings),
      exec_(exec),
      memory_(memory),
      staging_(staging),
      parameters_(parameters),
      group_(exec_, memory, tensor) {
  expects(group_.ranks() == settings.tensor_ranks && group_.rank() == settings.tensor_rank);
  expects(settings.type == (std::is_same_v<T, float> ? DType::f32 : DType::bf16));
  expects(settings.staged == staging.staged());
  if (settings.attention == AttentionBackend::cudnn) kernels::require_attention_library();
}

template <class T>
kernels::AttentionScratch ExecutingOps<T>::scratch_of(const Indices& cu_seqlens,
                                                      const Tensor& scratch) const {
  if (scratch.empty()) return {};
  return {memory_.at<unsigned char>(scratch.offset()), scratch.columns(), cu_seqlens.host,
          this->settings().deterministic};
}

template <class T>
Vec<const int> ExecutingOps<T>::indices(std::span<const int> host, const Tensor& place) const {
  if (place.empty()) return Vec<const int>(host.data(), host.size());
  int* to = memory_.at<int>(place.offset());
  if (!host.empty()) copy_to_kernels(exec_, host.data(), to, host.size_bytes());
  return Vec<const int>(to, host.size());
}

template <class T>
Vec<float> ExecutingOps<T>::gradient_or_none(int parameter) const {
  return this->learns(parameter) ? parameters_.gradient_vector(parameter) : Vec<float>();
}

template <class T>
void ExecutingOps<T>::run_zero(Tensor& x) {
  as_stored(x, [&](auto m) { kernels::fill(exec_, 0.0f, m); });
}

template <class T>
void ExecutingOps<T>::run_convert(const Tensor& x, Tensor& y) {
  as_stored(x, [&](auto from) {
    const Mat<const typename decltype(from)::value_type> values = from;
    as_stored(y, [&](auto to) { kernels::convert(exec_, values, to); });
  });
}

template <class T>
void ExecutingOps<T>::run_load_pixels(std::span<const float> pixel_values, Tensor& y) {
  staging_.store(exec_, pixel_values, memory_.at<T>(y.offset()));
}

template <class T>
void ExecutingOps<T>::run_vision_rope_table(const Indices& hw, Tensor& table) {
  kernels::vision_rope_table(exec_, indices(hw), mat<float>(table));
}

template <class T>
void ExecutingOps<T>::run_mrope_table(const Indices& positions, const std::array<int, 3>& section,
                                      float theta, Tensor& table) {
  kernels::mrope_table(exec_, indices(positions), section, theta, mat<float>(table));
}

template <class T>
void ExecutingOps<T>::run_embedding(const Indices& ids, int table, Tensor& y) {
  kernels::embedding_gather(exec_, indices(ids), parameters_.matrix(table), mat<T>(y));
}

template <class T>
void ExecutingOps<T>::run_embedding_backward(const Tensor& dy, const Indices& ids,
                                             const Tensor& order_place, int table) {
  const std::vector<int> order = kernels::sorted_order(ids.host);
  kernels::embedding_scatter_add(exec_, mat<float>(dy), indices(order, order_place), indices(ids),
                                 parameters_.gradient(table));
  exec_.fence("vlmark::embedding_backward");  // `order` ends here
}

template <class T>
void ExecutingOps<T>::run_linear(const Tensor& x, const plan::Linear& layer, Tensor& y) {
  const Mat<const T> a = mat<T>(x), w = parameters_.matrix(layer.weight);
  if (y.type() != type()) {  // patch embedding and logits, which have no bias
    expects(y.type() == DType::f32 && layer.bias < 0);
    kernels::gemm(exec_, Trans::no, Trans::yes, a, w, 0, mat<float>(y));
    return;
  }
  kernels::gemm_bias(
      exec_, Trans::no, Trans::yes, a, w,
      layer.bias >= 0 ? Vec<const T>(parameters_.vector(layer.bias)) : Vec<const T>(), mat<T>(y));
}

template <class T>
void ExecutingOps<T>::run_add_linear(const Tensor& x, const plan::Linear& layer, Tensor& stream) {
  const Mat<float> c = mat<float>(stream);
  if (layer.bias >= 0) kernels::add_bias(exec_, Vec<const T>(parameters_.vector(layer.bias)), c);
  kernels::gemm(exec_, Trans::no, Trans::yes, mat<const T>(x),
                Mat<const T>(parameters_.matrix(layer.weight)), 1, c);
}

template <class T>
void ExecutingOps<T>::run_partial_linear(const Tensor& x, const plan::Linear& layer, Tensor& y) {
  kernels::gemm(exec_, Trans::no, Trans::yes, mat<const T>(x),
                Mat<const T>(parameters_.matrix(layer.weight)), 0, mat<float>(y));
}

template <class T>
void ExecutingOps<T>::run_add_bias(int bias, Tensor& stream) {
  kernels::add_bias(exec_, Vec<const T>(parameters_.vector(bias)), mat<float>(stream));
}

template <class T>
void ExecutingOps<T>::run_linear_backward_input(const Tensor& dy, const plan::Linear& layer,
                                                Tensor& dx) {
  const Mat<const T> w = parameters_.matrix(layer.weight);
  if (dx.type() == type())
    kernels::gemm(exec_, Trans::no, Trans::no, mat<const T>(dy), w, 0, mat<T>(dx));
  else
    kernels::gemm(exec_, Trans::no, Trans::no, mat<const T>(dy), w, 0, mat<float>(dx));
}

template <class T>
void ExecutingOps<T>::run_linear_backward_weight(const Tensor& dy, const Tensor& x,
                                                 const plan::Linear& layer) {
  kernels::gemm(exec_, Trans::yes, Trans::no, mat<const T>(dy), mat<const T>(x), 1,
                parameters_.gradient(layer.weight));
  if (planted(Fault::wrong_gradient) && !this->table().layers.empty() &&
      layer.weight == this->table().layers.front().down.weight)
    kernels::scale(exec_, 1.01f, parameters_.gradient(layer.weight));
}

template <class T>
void ExecutingOps<T>::run_bias_backward(const Tensor& dy, int bias, Tensor& partial_sums) {
  kernels::bias_gradient(exec_, mat<T>(dy), parameters_.gradient_vector(bias),
                         mat<float>(partial_sums));
}

template <class T>
void ExecutingOps<T>::run_rms_norm(const Tensor& x, int gain, float eps, Tensor& y, Tensor& scale) {
  kernels::rms_norm(exec_, mat<T>(x), parameters_.vector(gain), eps, mat<T>(y),
                    memory_.row<float>(scale));
}

template <class T>
void ExecutingOps<T>::run_rms_norm_backward(const Tensor& dy, const Tensor& x, int gain,
                                            const Tensor& scale, Tensor& d_stream,
                                            Tensor& partial_sums) {
  kernels::rms_norm_backward(exec_, mat<T>(dy), mat<T>(x), parameters_.vector(gain),
                             memory_.row<float>(scale), mat<float>(d_stream),
                             gradient_or_none(gain), mat<float>(partial_sums));
}

template <class T>
void ExecutingOps<T>::run_layer_norm(const Tensor& x, const plan::LayerNorm& layer, float eps,
                                     Tensor& y, Tensor& statistics) {
  kernels::layer_norm(exec_, mat<T>(x), parameters_.vector(layer.gain),
                      parameters_.vector(layer.bias), eps, mat<T>(y),
                      memory_.row<float>(statistics, 0), memory_.row<float>(statistics, 1));
}

template <class T>
void ExecutingOps<T>::run_layer_norm_backward(const Tensor& dy, const Tensor& x,
                                              const plan::LayerNorm& layer,
                                              const Tensor& statistics, Tensor& d_stream,
                                              Tensor& partial_sums) {
  kernels::layer_norm_backward(exec_, mat<T>(dy), mat<T>(x), parameters_.vector(layer.gain),
                               memory_.row<float>(statistics, 0), memory_.row<float>(statistics, 1),
                               mat<float>(d_stream), gradient_or_none(layer.gain),
                               gradient_or_none(layer.bias), mat<float>(partial_sums));
}

template <class T>
void ExecutingOps<T>::run_activation(model::Activation kind, const Tensor& x, Tensor& y) {
  if (kind == model::Activation::quick_gelu)
    kernels::quick_gelu(exec_, mat<T>(x), mat<T>(y));
  else
    kernels::gelu_erf(exec_, mat<T>(x), mat<T>(y));
}

template <class T>
void ExecutingOps<T>::run_activation_backward(model::Activation kind, const Tensor& dy,
                                              const Tensor& x, Tensor& dx) {
  if (kind == model::Activation::quick_gelu)
    kernels::quick_gelu_backward(exec_, mat<T>(dy), mat<T>(x), mat<T>(dx));
  else
    kernels::gelu_erf_backward(exec_, mat<T>(dy), mat<T>(x), mat<T>(dx));
}

template <class T>
void ExecutingOps<T>::run_swiglu(const Tensor& gate_up, Tensor& y) {
  kernels::swiglu(exec_, mat<T>(gate_up), mat<T>(y));
}

template <class T>
void ExecutingOps<T>::run_swiglu_backward(const Tensor& dy, const Tensor& gate_up,
                                          Tensor& d_gate_up) {
  kernels::swiglu_backward(exec_, mat<T>(dy), mat<T>(gate_up), mat<T>(d_gate_up));
}

template <class T>
void ExecutingOps<T>::run_rotate(Tensor& x, const Tensor& table, int heads, int head_dim,
                                 bool inverse) {
  kernels::rotate_half(exec_, mat<T>(x), mat<float>(table), heads, head_dim, inverse);
}

template <class T>
void ExecutingOps<T>::run_attention(const Tensor& qkv, const AttentionSpec& spec,
                                    const Indices& cu_seqlens, Tensor& y, Tensor& log_sum,
                                    const Tensor& scratch) {
  const Packed<const T> in(mat<const T>(qkv), spec);
  const Mat<T> out = mat<T>(y);
  const kernels::AttentionShape shape = shape_of(spec);
  if (!kernels::library_attention(exec_, shape, in.q, in.k, in.v, out, mat<float>(log_sum),
                                  scratch_of(cu_seqlens, scratch))) {
    const Vec<const int> cu = indices(cu_seqlens);
    kernels::attention(exec_, shape, in.q, in.k, in.v, cu, cu, out, mat<float>(log_sum));
  }
  if (planted(Fault::wrong_attention_row) && out.extent_int(0) > 1)
    kernels::convert(exec_, Mat<const T>(head_row(out, 0, spec.head_dim)),
                     head_row(out, 1, spec.head_dim));
  if (kernels::observer())
    kernels::observer()->after_attention({exec_, shape, type(), untyped(in.q), untyped(in.k),
                                          untyped(in.v), untyped(out), cu_seqlens.host});
}

template <class T>
void ExecutingOps<T>::run_attention_backward(const Tensor& dy, const Tensor& y, const Tensor& qkv,
                                             const AttentionSpec& spec, const Indices& cu_seqlens,
                                             const Tensor& log_sum, Tensor& d_qkv, Tensor& delta,
                                             const Tensor& scratch) {
  const Packed<const T> in(mat<const T>(qkv), spec);
  const Packed<T> out(mat<T>(d_qkv), spec);
  if (kernels::library_attention_backward(exec_, shape_of(spec), mat<const T>(dy), mat<const T>(y),
                                          in.q, in.k, in.v, mat<const float>(log_sum), out.q, out.k,
                                          out.v, scratch_of(cu_seqlens, scratch)))
    return;
  const Vec<const int> cu = indices(cu_seqlens);
  kernels::attention_backward(exec_, shape_of(spec), mat<const T>(dy), mat<const T>(y), in.q, in.k,
                              in.v, mat<const float>(log_sum), cu, cu, out.q, out.k, out.v,
                              mat<float>(delta));
}

template <class T>
void ExecutingOps<T>::run_attention_cached(const Tensor& qkv, const AttentionSpec& spec,
                                           model::LayerCache& cache, long filled,
                                           const Indices& cu_q, const Indices& cu_k, Tensor& y,
                                           Tensor& log_sum) {
  const Packed<const T> in(mat<const T>(qkv), spec);
  const int rows = static_cast<int>(qkv.rows()), before = static_cast<int>(filled),
            total = before + rows;
  const auto cached = [](const Mat<T>& m, int begin, int end) -> Mat<T> {
    return Kokkos::subview(m, Kokkos::pair<int, int>(begin, end), Kokkos::ALL);
  };
  const Mat<T> keys = mat<T>(cache.keys), values = mat<T>(cache.values);
  kernels::convert(exec_, in.k, cached(keys, before, total));
  kernels::convert(exec_, in.v, cached(values, before, total));
  kernels::attention(exec_, shape_of(spec), in.q, Mat<const T>(cached(keys, 0, total)),
                     Mat<const T>(cached(values, 0, total)), indices(cu_q), indices(cu_k),
                     mat<T>(y), mat<float>(log_sum));
  exec_.fence("vlmark::attention_cached");  // the lengths end here
}

template <class T>
void ExecutingOps<T>::run_gather_rows(const Tensor& x, const Indices& source, Tensor& y,
                                      long first) {
  as_stored(y, [&](auto to) {
    const auto from = memory_.matrix<typename decltype(to)::value_type>(x);
    kernels::gather_rows(exec_, from, indices(source), rows_from(to, first, source.host.size()));
  });
}

template <class T>
void ExecutingOps<T>::run_scatter_rows(Tensor& x, const Tensor& rows, long first,
                                       const Indices& destination) {
  as_stored(x, [&](auto to) {
    const auto from = memory_.matrix<typename decltype(to)::value_type>(rows);
    kernels::scatter_rows(exec_, rows_from(from, first, destination.host.size()),
                          indices(destination), to);
  });
}

template <class T>
void ExecutingOps<T>::run_zero_rows(Tensor& x, const Indices& rows) {
  as_stored(x, [&](auto m) { kernels::zero_rows(exec_, m, indices(rows)); });
}

template <class T>
void ExecutingOps<T>::run_gather(const char*, const Tensor& x, const model::TokenBlocks& blocks,
                                 Tensor& all) {
  group_.gather(x, blocks, all);
}

template <class T>
void ExecutingOps<T>::run_exchange(const char*, const Tensor& parts,
                                   const model::TokenBlocks& blocks, Tensor& received) {
  group_.exchange(parts, blocks, received);
}

template <class T>
void ExecutingOps<T>::run_add_blocks(const Tensor& blocks, Tensor& stream) {
  kernels::add_blocks(exec_, mat<const float>(blocks), mat<float>(stream));
}

template <class T>
void ExecutingOps<T>::run_sum_blocks(Tensor& blocks, Tensor& y) {
  kernels::sum_blocks(exec_, mat<float>(blocks), mat<T>(y));
}

template class ExecutingOps<float>;
template class ExecutingOps<bf16>;

}  // namespace vlmark::engine
