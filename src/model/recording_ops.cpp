#include "src/model/recording_ops.hpp"

#include "src/plan/shapes.hpp"

namespace vlmark::model {
namespace {

std::uint64_t bytes(const Tensor& x) {
  return static_cast<std::uint64_t>(x.rows() * x.columns()) * size_of(x.type());
}

/// Model FLOPs of attention inside segments: two products, causal counted half.
std::uint64_t attention_flops(const AttentionSpec& spec, std::span<const int> cu_seqlens) {
  std::uint64_t pairs = 0;
  for (std::size_t i = 0; i + 1 < cu_seqlens.size(); ++i) {
    const auto s = static_cast<std::uint64_t>(cu_seqlens[i + 1] - cu_seqlens[i]);
    pairs += s * s;
  }
  return (spec.causal ? 2 : 4) * static_cast<std::uint64_t>(spec.q_width()) * pairs;
}

}  // namespace

void RecordingOps::gemm(const char* name, long m, long n, long k) {
  const auto flops = 2 * static_cast<std::uint64_t>(m) * static_cast<std::uint64_t>(n) *
                     static_cast<std::uint64_t>(k);
  const Part part = CountedPart::current();
  flops_.gemm[static_cast<int>(part)] += flops;
  const auto elements = static_cast<std::uint64_t>(m * n + n * k + m * k);
  records_.push_back({name, part, m, n, k, flops, elements * size_of(type())});
}

void RecordingOps::bandwidth(const char* name, std::initializer_list<const Tensor*> tensors) {
  std::uint64_t sum = 0;
  for (const Tensor* tensor : tensors) sum += bytes(*tensor);
  const Tensor& first = **tensors.begin();
  records_.push_back({name, CountedPart::current(), first.rows(), first.columns(), 0, 0, sum});
}

void RecordingOps::run_zero(Tensor& stream) { bandwidth("zero", {&stream}); }
void RecordingOps::run_convert(const Tensor& x, Tensor& y) { bandwidth("convert", {&x, &y}); }
void RecordingOps::run_add_linear(const Tensor& x, const plan::Linear& layer, Tensor&) {
  gemm("add_linear", x.rows(), layer.out, layer.in);
}
void RecordingOps::run_load_pixels(std::span<const float>, Tensor& y) {
  bandwidth("load_pixels", {&y});
}
void RecordingOps::run_vision_rope_table(const Indices&, Tensor& table) {
  bandwidth("vision_rope_table", {&table});
}
void RecordingOps::run_mrope_table(const Indices&, const std::array<int, 3>&, float,
                                   Tensor& table) {
  bandwidth("mrope_table", {&table});
}
void RecordingOps::run_embedding(const Indices&, int, Tensor& y) {
  bandwidth("embedding", {&y, &y});
}
void RecordingOps::run_embedding_backward(const Tensor& dy, const Indices&, const Tensor&, int) {
  bandwidth("embedding_backward", {&dy, &dy, &dy});
}
void RecordingOps::run_linear(const Tensor& x, const plan::Linear& layer, Tensor&) {
  gemm("linear", x.rows(), layer.out, layer.in);
}
void RecordingOps::run_partial_linear(const Tensor& x, const plan::Linear& layer, Tensor&) {
  gemm("partial_linear", x.rows(), layer.out, layer.in);
}
void RecordingOps::run_add_bias(int, Tensor& stream) { bandwidth("add_bias", {&stream, &stream}); }
void RecordingOps::run_linear_backward_input(const Tensor& dy, const plan::Linear& layer, Tensor&) {
  gemm("linear_backward_input", dy.rows(), layer.in, layer.out);
}
void RecordingOps::run_linear_backward_weight(const Tensor& dy, const Tensor&,
                                              const plan::Linear& layer) {
  gemm("linear_backward_weight", layer.out, layer.in, dy.rows());
}
void RecordingOps::run_bias_backward(const Tensor& dy, int, Tensor&) {
  bandwidth("bias_backward", {&dy});
}
void RecordingOps::run_rms_norm(const Tensor& x, int, float, Tensor& y, Tensor&) {
  bandwidth("rms_norm", {&x, &y});
}
void RecordingOps::run_rms_norm_backward(const Tensor& dy, const Tensor& x, int, const Tensor&,
                                         Tensor& dx, Tensor&) {
  bandwidth("rms_norm_backward", {&dy, &x, &dx, &dx});
}
void RecordingOps::run_layer_norm(const Tensor& x, const plan::LayerNorm&, float, Tensor& y,
                                  Tensor&) {
  bandwidth("layer_norm", {&x, &y});
}
void RecordingOps::run_layer_norm_backward(const Tensor& dy, const Tensor& x,
                                           const plan::LayerNorm&, const Tensor&, Tensor& dx,
                                           Tensor&) {
  bandwidth("layer_norm_backward", {&dy, &x, &dx, &dx});
}
void RecordingOps::run_activation(Activation, const Tensor& x, Tensor& y) {
  bandwidth("activation", {&x, &y});
}
void RecordingOps::run_activation_backward(Activation, const Tensor& dy, const Tensor& x,
                                           Tensor& dx) {
  bandwidth("activation_backward", {&dy, &x, &dx});
}
void RecordingOps::run_swiglu(const Tensor& gate_up, Tensor& y) {
  bandwidth("swiglu", {&gate_up, &y});
}
void RecordingOps::run_swiglu_backward(const Tensor& dy, const Tensor& gate_up, Tensor& d_gate_up) {
  bandwidth("swiglu_backward", {&dy, &gate_up, &d_gate_up});
}
void RecordingOps::run_rotate(Tensor& x, const Tensor& table, int, int, bool) {
  bandwidth("rotate", {&x, &x, &table});
}

void RecordingOps::note_scratch(const AttentionSpec& spec, const Indices& cu_seqlens,
                                AttentionPass pass, const Tensor& scratch) {
  if (scratch.empty() || scratch.columns() <= scratch_.bytes) return;
  const CudnnAttentionSize size =
      cudnn_bounded({spec.heads, spec.kv_heads, spec.head_dim}, cu_seqlens.host);
  scratch_ = {scratch.columns(), cudnn_scratch(size, pass, spec.causal, false).bytes, size.segments,
              size.longest};
}

void RecordingOps::run_attention(const Tensor& qkv, const AttentionSpec& spec,
                                 const Indices& cu_seqlens, Tensor& y, Tensor&,
                                 const Tensor& scratch) {
  note_scratch(spec, cu_seqlens, AttentionPass::forward, scratch);
  const Part part = CountedPart::current();
  const std::uint64_t flops = attention_flops(spec, cu_seqlens.host);
  flops_.attention[static_cast<int>(part)] += flops;
  records_.push_back(
      {"attention", part, qkv.rows(), spec.heads, spec.head_dim, flops, bytes(qkv) + bytes(y)});
}
void RecordingOps::run_attention_backward(const Tensor& dy, const Tensor& y, const Tensor& qkv,
                                          const AttentionSpec& spec, const Indices& cu_seqlens,
                                          const Tensor&, Tensor& d_qkv, Tensor&,
                                          const Tensor& scratch) {
  note_scratch(spec, cu_seqlens, AttentionPass::backward, scratch);
  const Part part = CountedPart::current();
  const std::uint64_t flops = 2 * attention_flops(spec, cu_seqlens.host);
  flops_.attention[static_cast<int>(part)] += flops;
  records_.push_back({"attention_backward", part, qkv.rows(), spec.heads, spec.head_dim, flops,
                      bytes(dy) + bytes(y) + bytes(qkv) + bytes(d_qkv)});
}
void RecordingOps::run_attention_cached(const Tensor& qkv, const AttentionSpec& spec, LayerCache&,
                                        long filled, const Indices&, const Indices&, Tensor& y,
                                        Tensor&) {
  const Part part = CountedPart::current();
  const auto rows = static_cast<std::uint64_t>(qkv.rows()),
             keys = rows + static_cast<std::uint64_t>(filled);
  // Rows attend to all earlier tokens; among themselves causal, counted half.
  const std::uint64_t flops =
      2 * static_cast<std::uint64_t>(spec.q_width()) * (2 * rows * keys - rows * rows);
  flops_.attention[static_cast<int>(part)] += flops;
  records_.push_back({"attention_cached", part, qkv.rows(), spec.heads, spec.head_dim, flops,
                      bytes(qkv) + bytes(y)});
}

void RecordingOps::run_gather_rows(const Tensor&, const Indices&, Tensor& y, long) {
  bandwidth("gather_rows", {&y, &y});
}
void RecordingOps::run_scatter_rows(Tensor&, const Tensor& rows, long, const Indices&) {
  bandwidth("scatter_rows", {&rows, &rows});
}
void RecordingOps::run_zero_rows(Tensor& x, const Indices&) { bandwidth("zero_rows", {&x}); }

void RecordingOps::head(const Tensor& h, const plan::Linear& layer, bool gradient) {
  gemm("head", h.rows(), layer.out, layer.in);
  if (!gradient) return;
  gemm("head_backward_input", h.rows(), layer.in, layer.out);
  if (learns(layer.weight)) gemm("head_backward_weight", layer.out, layer.in, h.rows());
}

double RecordingOps::run_linear_cross_entropy(const Tensor& h, const plan::Linear& layer,
                                              const Indices&, float, Tensor* dh, Tensor&, Tensor&) {
  head(h, layer, dh != nullptr);
  return 0;
}

}  // namespace vlmark::model
