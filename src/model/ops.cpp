#include "src/model/ops.hpp"

#include "src/base/error.hpp"
#include "src/base/workspace.hpp"

namespace vlmark::model {
namespace {

void require_columns(const char* where, const Tensor& x, long columns) {
  require_extents(where, "x", {x.rows(), x.columns()}, {x.rows(), columns});
}

void require_same(const char* where, const char* name, const Tensor& a, const Tensor& b) {
  require_extents(where, name, {a.rows(), a.columns()}, {b.rows(), b.columns()});
}

int rows_of(const Tensor& x) { return static_cast<int>(x.rows()); }

long count(std::span<const int> indices) { return static_cast<long>(indices.size()); }

}  // namespace

bool Ops::learns(int parameter) const {
  return parameter >= 0 && !table_[parameter].copy && settings_.trainable(table_[parameter].group);
}

Indices Ops::indices(std::span<const int> values) {
  return {values, settings_.staged ? make(1, count(values), DType::i32) : Tensor()};
}

Indices Ops::indices(std::span<const int> values, long most) {
  return {values, settings_.staged ? make(1, most, DType::i32) : Tensor()};
}

Tensor Ops::stream(const Tensor& x) {
  Tensor y = make(x.rows(), x.columns(), DType::f32);
  run_convert(x, y);
  return y;
}

Tensor Ops::zero_stream(long rows, long columns) {
  Tensor y = make(rows, columns, DType::f32);
  run_zero(y);
  return y;
}

Tensor Ops::rounded(const Tensor& stream) {
  Tensor y = make(stream.rows(), stream.columns(), type());
  run_convert(stream, y);
  return y;
}

Tensor Ops::copied(const Tensor& stream) {
  Tensor y = make(stream.rows(), stream.columns(), DType::f32);
  copy(stream, y);
  return y;
}

void Ops::copy(const Tensor& stream, Tensor& to) {
  expects(stream.type() == DType::f32 && to.type() == DType::f32);
  require_same("copy", "to", to, stream);
  run_convert(stream, to);
}

void Ops::add_linear(const Tensor& x, const plan::Linear& layer, Tensor& stream) {
  require_columns("add_linear", x, layer.in);
  require_extents("add_linear", "stream", {stream.rows(), stream.columns()}, {x.rows(), layer.out});
  run_add_linear(x, layer, stream);
}

Tensor Ops::load_pixels(std::span<const float> pixel_values, long patches, long values) {
  require_extents("load_pixels", "pixel_values", {static_cast<long>(pixel_values.size())},
                  {patches * values});
  Tensor y = make(patches, values, type());
  run_load_pixels(pixel_values, y);
  return y;
}

Tensor Ops::vision_rope_table(std::span<const int> hw, int head_dim) {
  Tensor table = make(count(hw) / 2, head_dim, DType::f32);
  run_vision_rope_table(indices(hw), table);
  return table;
}

Tensor Ops::mrope_table(std::span<const int> positions, const std::array<int, 3>& section,
                        float theta, int head_dim) {
  Tensor table = make(count(positions) / 3, head_dim, DType::f32);
  run_mrope_table(indices(positions), section, theta, table);
  return table;
}

Tensor Ops::linear(const Tensor& x, const plan::Linear& layer, DType y_type) {
  require_columns("linear", x, layer.in);
  Tensor y = make(x.rows(), layer.out, y_type);
  run_linear(x, layer, y);
  return y;
}

void Ops::linear_backward_weight(const Tensor& dy, const Tensor& x, const plan::Linear& layer) {
  require_extents("linear_backward", "dy", {dy.rows(), dy.columns()}, {x.rows(), layer.out});
  require_columns("linear_backward", x, layer.in);
  if (learns(layer.weight)) run_linear_backward_weight(dy, x, layer);
  linear_backward_bias(dy, layer);
}

void Ops::linear_backward_bias(const Tensor& dy, const plan::Linear& layer) {
  if (!learns(layer.bias)) return;
  Tensor partial_sums = make(column_sum_workspace_rows(rows_of(dy)), layer.out, DType::f32);
  run_bias_backward(dy, layer.bias, partial_sums);
}

Tensor Ops::linear_backward(const Tensor& dy, const Tensor& x, const plan::Linear& layer) {
  linear_backward_weight(dy, x, layer);
  Tensor dx = make(dy.rows(), layer.in, type());
  run_linear_backward_input(dy, layer, dx);
  return dx;
}

Tensor Ops::rms_norm(const Tensor& x, int gain, float eps, Tensor& scale) {
  require_columns("rms_norm", x, table_[gain].columns);
  scale = make(1, x.rows(), DType::f32);
  Tensor y = make(x.rows(), x.columns(), type());
  run_rms_norm(x, gain, eps, y, scale);
  return y;
}

void Ops::rms_norm_backward(const Tensor& dy, const Tensor& x, int gain, const Tensor& scale,
                            Tensor& d_stream) {
  require_same("rms_norm_backward", "dy", dy, x);
  require_same("rms_norm_backward", "d_stream", d_stream, x);
  Tensor partial_sums = make(norm_workspace_rows(rows_of(x)), x.columns(), DType::f32);
  run_rms_norm_backward(dy, x, gain, scale, d_stream, partial_sums);
}

Tensor Ops::layer_norm(const Tensor& x, const plan::LayerNorm& layer, float eps,
                       Tensor& statistics) {
  require_columns("layer_norm", x, table_[layer.gain].columns);
  statistics = make(2, x.rows(), DType::f32);
  Tensor y = make(x.rows(), x.columns(), type());
  run_layer_norm(x, layer, eps, y, statistics);
  return y;
}

void Ops::layer_norm_backward(const Tensor& dy, const Tensor& x, const plan::LayerNorm& layer,
                              const Tensor& statistics, Tensor& d_stream) {
  require_same("layer_norm_backward", "dy", dy, x);
  require_same("layer_norm_backward", "d_stream", d_stream, x);
  Tensor partial_sums = make(layer_norm_workspace_rows(rows_of(x)), x.columns(), DType::f32);
  run_layer_norm_backward(dy, x, layer, statistics, d_stream, partial_sums);
}

Tensor Ops::activation(Activation kind, const Tensor& x) {
  Tensor y = make(x.rows(), x.columns(), type());
  run_activation(kind, x, y);
  return y;
}

Tensor Ops::activation_backward(Activation kind, const Tensor& dy, const Tensor& x) {
  require_same("activation_backward", "dy", dy, x);
  Tensor dx = make(x.rows(), x.columns(), type());
  run_activation_backward(kind, dy, x, dx);
  return dx;
}

Tensor Ops::swiglu(const Tensor& gate_up) {
  Tensor y = make(gate_up.rows(), gate_up.columns() / 2, type());
  run_swiglu(gate_up, y);
  return y;
}

Tensor Ops::swiglu_backward(const Tensor& dy, const Tensor& gate_up) {
  require_extents("swiglu_backward", "dy", {dy.rows(), dy.columns()},
                  {gate_up.rows(), gate_up.columns() / 2});
  Tensor d_gate_up = make(gate_up.rows(), gate_up.columns(), type());
  run_swiglu_backward(dy, gate_up, d_gate_up);
  return d_gate_up;
}

void Ops::rotate(Tensor& x, const Tensor& table, int heads, int head_dim, bool inverse) {
  require_extents("rotate", "table", {table.rows(), table.columns()}, {x.rows(), head_dim});
  run_rotate(x, table, heads, head_dim, inverse);
}

Tensor Ops::attention(const Tensor& qkv, const AttentionSpec& spec, std::span<const int> cu_seqlens,
                      Tensor& log_sum) {
  require_columns("attention", qkv, spec.qkv_width());
  log_sum = make(qkv.rows(), spec.heads, DType::f32);
  Tensor y = make(qkv.rows(), spec.q_width(), type());
  const Tensor scratch = attention_scratch(spec, cu_seqlens, AttentionPass::forward);
  run_attention(qkv, spec, indices(cu_seqlens), y, log_sum, scratch);
  return y;
}

Tensor Ops::attention_backward(const Tensor& dy, const Tensor& y, const Tensor& qkv,
                               const AttentionSpec& spec, std::span<const int> cu_seqlens,
                               const Tensor& log_sum) {
  require_same("attention_backward", "dy", dy, y);
  Tensor d_qkv = make(qkv.rows(), qkv.columns(), type());
  Tensor delta = make(qkv.rows(), spec.heads, DType::f32);
  const Tensor scratch = attention_scratch(spec, cu_seqlens, AttentionPass::backward);
  run_attention_backward(dy, y, qkv, spec, indices(cu_seqlens), log_sum, d_qkv, delta, scratch);
  return d_qkv;
}

Tensor Ops::attention_scratch(const AttentionSpec& spec, std::span<const int> cu_seqlens,
                              AttentionPass pass) {
  if (settings_.attention != AttentionBackend::cudnn || type() != DType::bf16 ||
      cu_seqlens.size() < 2)
    return {};
  const CudnnAttentionSize size =
      cudnn_bounded({spec.heads, spec.kv_heads, spec.head_dim}, cu_seqlens);
  return make(1, cudnn_scratch(size, pass, spec.causal, settings_.deterministic).bytes, DType::u8);
}

Tensor Ops::attention_cached(const Tensor& qkv, const AttentionSpec& spec, LayerCache& cache,
                             long filled) {
  require_columns("attention_cached", qkv, spec.qkv_width());
  if (filled + qkv.rows() > cache.keys.rows())
    throw ValueError("attention_cached: " + std::to_string(filled + qkv.rows()) +
                     " tokens do not fit a cache of " + std::to_string(cache.keys.rows()) +
                     ". Ask for fewer new tokens or a shorter prompt");
  Tensor log_sum = make(qkv.rows(), spec.heads, DType::f32);
  Tensor y = make(qkv.rows(), spec.q_width(), type());
  const int rows = rows_of(qkv);
  const int cu_q[] = {0, rows}, cu_k[] = {0, static_cast<int>(filled) + rows};
  run_attention_cached(qkv, spec, cache, filled, indices(cu_q), indices(cu_k), y, log_sum);
  return y;
}

Tensor Ops::gather_rows(const Tensor& x, std::span<const int> source) {
  Tensor y = make(count(source), x.columns(), x.type());
  run_gather_rows(x, indices(source), y, 0);
  return y;
}

void Ops::scatter_rows(Tensor& x, const Tensor& rows, std::span<const int> destination) {
  require_extents("scatter_rows", "rows", {rows.rows(), rows.columns()},
                  {count(destination), x.columns()});
  run_scatter_rows(x, rows, 0, indices(destination));
}

Tensor Ops::linear_cross_entropy(const Tensor& h, const plan::Linear& head,
                                 std::span<const int> targets, float scale, bool gradient,
                                 double& loss_sum) {
  if (settings_.tensor_ranks > 1)
    return sliced_cross_entropy(h, head, targets, scale, gradient, loss_sum);
  require_extents("linear_cross_entropy", "h", {h.rows(), h.columns()}, {count(targets), head.in});
  Tensor dh;
  if (gradient) dh = make(h.rows(), h.columns(), type());
  Tensor losses = make(1, h.rows(), DType::f32);
  Tensor logits_tile =
      make(linear_cross_entropy_tile(rows_of(h), static_cast<int>(head.out)), head.out, DType::f32);
  loss_sum += run_linear_cross_entropy(h, head, indices(targets), scale, gradient ? &dh : nullptr,
                                       losses, logits_tile);
  return dh;
}

}  // namespace vlmark::model
