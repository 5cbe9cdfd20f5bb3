#include "src/plan/parameters.hpp"

#include <functional>
#include <numeric>

namespace vlmark::plan {
namespace {

/// Appends logical tensors and the parameters that hold them.
class Builder {
 public:
  explicit Builder(ParameterTable& table) : table_(table) {}

  /// Logical tensors of equal columns stacked by rows into one parameter.
  int stack(const std::vector<std::string>& names, const std::vector<long>& rows, long columns,
            Kind kind, Group group) {
    const int id = static_cast<int>(table_.parameters.size());
    Parameter parameter{names[0], 0, columns, kind, group, {}};
    for (std::size_t i = 0; i < names.size(); ++i) {
      parameter.tensors.push_back(static_cast<int>(table_.tensors.size()));
      table_.tensors.push_back(
          {names[i], {rows[i], columns}, kind, group, id, parameter.rows * columns});
      parameter.rows += rows[i];
    }
    table_.parameters.push_back(std::move(parameter));
    return id;
  }
  /// Vectors laid end to end into one row.
  int vectors(const std::vector<std::string>& names, const std::vector<long>& sizes, Kind kind,
              Group group) {
    const int id = static_cast<int>(table_.parameters.size());
    Parameter parameter{names[0], 1, 0, kind, group, {}};
    for (std::size_t i = 0; i < names.size(); ++i) {
      parameter.tensors.push_back(static_cast<int>(table_.tensors.size()));
      table_.tensors.push_back({names[i], {sizes[i]}, kind, group, id, parameter.columns});
      parameter.columns += sizes[i];
    }
    table_.parameters.push_back(std::move(parameter));
    return id;
  }
  int vector(const std::string& name, long size, Kind kind, Group group) {
    return vectors({name}, {size}, kind, group);
  }
  Linear linear(const std::string& prefix, long out, long in, bool bias, Group group) {
    Linear l{stack({prefix + ".weight"}, {out}, in, Kind::weight, group), -1, out, in};
    if (bias) l.bias = vector(prefix + ".bias", out, Kind::bias, group);
    return l;
  }
  LayerNorm layer_norm(const std::string& prefix, long size, Group group) {
    const int gain = vector(prefix + ".weight", size, Kind::gain, group);
    return {gain, vector(prefix + ".bias", size, Kind::bias, group)};
  }

 private:
  ParameterTable& table_;
};

VitBlock vit_block(Builder& add, const std::string& prefix, const VisionConfig& v) {
  const long width = v.embed_dim, mlp = v.mlp_width();
  VitBlock block;
  block.norm1 = add.layer_norm(prefix + "norm1", width, Group::vit);
  block.qkv = add.linear(prefix + "attn.qkv", 3 * width, width, true, Group::vit);
  block.proj = add.linear(prefix + "attn.proj", width, width, true, Group::vit);
  block.norm2 = add.layer_norm(prefix + "norm2", width, Group::vit);
  block.fc1 = add.linear(prefix + "mlp.fc1", mlp, width, true, Group::vit);
  block.fc2 = add.linear(prefix + "mlp.fc2", width, mlp, true, Group::vit);
  return block;
}

DecoderLayer decoder_layer(Builder& add, const std::string& prefix, const ModelConfig& m) {
  const long hidden = m.hidden, q = m.q_width(), kv = m.kv_width(), mlp = m.intermediate;
  const std::string attn = prefix + "self_attn.";
  DecoderLayer layer;
  layer.norm1 = add.vector(prefix + "input_layernorm.weight", hidden, Kind::gain, Group::decoder);
  layer.qkv = {add.stack({attn + "q_proj.weight", attn + "k_proj.weight", attn + "v_proj.weight"},
                         {q, kv, kv}, hidden, Kind::weight, Group::decoder),
               -1, q + 2 * kv, hidden};
  layer.qkv.bias = add.vectors({attn + "q_proj.bias", attn + "k_proj.bias", attn + "v_proj.bias"},
                               {q, kv, kv}, Kind::bias, Group::decoder);
  layer.out = add.linear(attn + "o_proj", hidden, q, false, Group::decoder);
  layer.norm2 =
      add.vector(prefix + "post_attention_layernorm.weight", hidden, Kind::gain, Group::decoder);
  layer.gate_up = {add.stack({prefix + "mlp.gate_proj.weight", prefix + "mlp.up_proj.weight"},
                             {mlp, mlp}, hidden, Kind::weight, Group::decoder),
                   -1, 2 * mlp, hidden};
  layer.down = add.linear(prefix + "mlp.down_proj", hidden, mlp, false, Group::decoder);
  return layer;
}

}  // namespace

const char* name_of(Group group) {
  switch (group) {
    case Group::vit:
      return "vit";
    case Group::merger:
      return "merger";
    case Group::embedding:
      return "embedding";
    case Group::decoder:
      return "decoder";
    case Group::head:
      return "head";
  }
  return "?";
}

long LogicalTensor::size() const {
  return std::accumulate(shape.begin(), shape.end(), 1L, std::multiplies<>());
}

ParameterTable::ParameterTable(const ModelConfig& m) {
  const VisionConfig& v = m.vision;
  Builder add(*this);
  patch_embed =
      add.linear("visual.patch_embed.proj", v.embed_dim, v.patch_values(), false, Group::vit);
  tensors.back().shape = {v.embed_dim, v.in_channels, v.temporal_patch_size, v.patch_size,
                          v.patch_size};
  for (int b = 0; b < v.depth; ++b)
    vit_blocks.push_back(vit_block(add, "visual.blocks." + std::to_string(b) + ".", v));
  const long joined = long{v.embed_dim} * v.merge_unit();
  merger_norm = add.layer_norm("visual.merger.ln_q", v.embed_dim, Group::merger);
  merger_fc1 = add.linear("visual.merger.mlp.0", joined, joined, true, Group::merger);
  merger_fc2 = add.linear("visual.merger.mlp.2", m.hidden, joined, true, Group::merger);
  embedding = add.stack({"model.embed_tokens.weight"}, {m.vocab}, m.hidden, Kind::embedding,
                        Group::embedding);
  for (int l = 0; l < m.layers; ++l)
    layers.push_back(decoder_layer(add, "model.layers." + std::to_string(l) + ".", m));
  final_norm = add.vector("model.norm.weight", m.hidden, Kind::gain, Group::decoder);
  head = m.tied ? Linear{embedding, -1, m.vocab, m.hidden}
                : add.linear("lm_head", m.vocab, m.hidden, false, Group::head);
}

long ParameterTable::size() const {
  long sum = 0;
  for (const auto& tensor : tensors) sum += tensor.size();
  return sum;
}

}  // namespace vlmark::plan
