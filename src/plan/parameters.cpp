#include "src/plan/parameters.hpp"

#include <functional>
#include <numeric>
#include <utility>

namespace vlmark::plan {
namespace {

/// One dimension of a matrix and what the tensor rank holds of it.
struct Axis {
  long size, begin, end;
  Sharing sharing;
  Block holders;
};

/// A logical tensor that is to become (part of) a parameter.
struct Piece {
  std::string name;
  Axis rows, columns;
  std::vector<long> shape;
};

/// Appends logical tensors and the parameters that hold them.
class Builder {
 public:
  explicit Builder(ParameterTable& table)
      : table_(table), rank_(table.shard.tensor_rank), ranks_(table.shard.tensor_ranks) {}

  /// What follows belongs to this segment; -1: to another rank.
  void in_segment(int segment, bool copy = false) {
    segment_ = segment;
    copy_ = copy;
  }

  Axis whole(long size) const { return {size, 0, size, Sharing::replicated, {0, ranks_}}; }
  Axis split(long size) const {
    const Block held = block_of(size, rank_, ranks_);
    return {size, held.begin, held.end, Sharing::split, {rank_, rank_ + 1}};
  }
  /// Heads of `width` elements; each on several ranks where there are more ranks than heads.
  Axis heads(int count, long width) const {
    if (count >= ranks_) {
      const Block held = block_of(count, rank_, ranks_);
      return {
          count * width, held.begin * width, held.end * width, Sharing::split, {rank_, rank_ + 1}};
    }
    const int sharers = ranks_ / count, head = rank_ / sharers;
    return {count * width,
            head * width,
            (head + 1) * width,
            Sharing::shared_heads,
            {head * sharers, (head + 1) * sharers}};
  }

  /// Tensors of equal columns stacked by rows into one parameter.
  int matrix(const std::vector<Piece>& pieces, Kind kind, Group group) {
    return add(pieces, kind, group, [](Parameter& p, const TensorPart& part) {
      p.rows += part.held_rows();
      p.columns = part.held_columns();
    });
  }
  int matrix(const std::string& name, const Axis& rows, const Axis& columns, Kind kind,
             Group group) {
    return matrix({{name, rows, columns, {rows.size, columns.size}}}, kind, group);
  }
  /// Vectors laid end to end into one row.
  int vectors(const std::vector<std::pair<std::string, Axis>>& parts, Kind kind, Group group) {
    std::vector<Piece> pieces;
    for (const auto& [name, axis] : parts)
      pieces.push_back({name, {1, 0, 1, Sharing::replicated, axis.holders}, axis, {axis.size}});
    return add(pieces, kind, group, [](Parameter& p, const TensorPart& part) {
      p.rows = 1;
      p.columns += part.held_columns();
    });
  }
  int vector(const std::string& name, long size, Kind kind, Group group) {
    return vectors({{name, whole(size)}}, kind, group);
  }
  Linear linear(const std::string& prefix, const Axis& out, const Axis& in, bool bias,
                Group group) {
    Linear l{matrix(prefix + ".weight", out, in, Kind::weight, group), -1, out.end - out.begin,
             in.end - in.begin};
    if (bias) l.bias = vectors({{prefix + ".bias", out}}, Kind::bias, group);
    return l;
  }
  LayerNorm layer_norm(const std::string& prefix, long size, Group group) {
    const int gain = vector(prefix + ".weight", size, Kind::gain, group);
    return {gain, vector(prefix + ".bias", size, Kind::bias, group)};
  }

 private:
  template <class Grow>
  int add(const std::vector<Piece>& pieces, Kind kind, Group group, const Grow& grow) {
    const int order = table_.whole_parameters++;
    if (segment_ < 0) return -1;
    const int id = static_cast<int>(table_.parameters.size());
    Parameter parameter{pieces[0].name, 0, 0, kind, group, {}, order, segment_, {}, copy_};
    for (const Piece& piece : pieces) {
      const Axis &r = piece.rows, &c = piece.columns;
      const Axis& shared = r.sharing == Sharing::replicated ? c : r;
      const TensorPart part{r.begin, r.end, c.begin, c.end, r.size, c.size};
      parameter.tensors.push_back(static_cast<int>(table_.tensors.size()));
      table_.tensors.push_back({piece.name, piece.shape, kind, group, part, shared.sharing,
                                shared.holders, id, parameter.size()});
      parameter.sharing = shared.sharing;  // of the last: k and v stand behind q
      grow(parameter, part);
    }
    table_.parameters.push_back(std::move(parameter));
    return id;
  }

  ParameterTable& table_;
  int rank_, ranks_;
  int segment_ = 0;
  bool copy_ = false;
};

/// The checkpoint has q, k and v of a ViT block in one tensor; by heads that is three parts.
std::vector<Axis> vit_qkv_axes(const Builder& add, const VisionConfig& v, int ranks) {
  const long width = v.embed_dim;
  if (ranks == 1) return {{3 * width, 0, 3 * width, Sharing::split, {0, 1}}};
  std::vector<Axis> axes(3, add.heads(v.heads, v.head_dim()));
  for (std::size_t i = 0; i < 3; ++i) {
    axes[i].size = 3 * width;
    axes[i].begin += static_cast<long>(i) * width;
    axes[i].end += static_cast<long>(i) * width;
  }
  return axes;
}

Linear vit_qkv(Builder& add, const std::string& name, const VisionConfig& v, int ranks) {
  const Axis in = add.whole(v.embed_dim);
  std::vector<Piece> weights;
  std::vector<std::pair<std::string, Axis>> biases;
  long out = 0;
  for (const Axis& axis : vit_qkv_axes(add, v, ranks)) {
    weights.push_back({name + ".weight", axis, in, {axis.size, in.size}});
    biases.emplace_back(name + ".bias", axis);
    out += axis.end - axis.begin;
  }
  const int weight = add.matrix(weights, Kind::weight, Group::vit);
  return {weight, add.vectors(biases, Kind::bias, Group::vit), out, in.size};
}

VitBlock vit_block(Builder& add, const std::string& prefix, const VisionConfig& v, int ranks) {
  const Axis width = add.whole(v.embed_dim), mlp = add.split(v.mlp_width());
  VitBlock block;
  block.norm1 = add.layer_norm(prefix + "norm1", width.size, Group::vit);
  block.qkv = vit_qkv(add, prefix + "attn.qkv", v, ranks);
  block.proj =
      add.linear(prefix + "attn.proj", width, add.heads(v.heads, v.head_dim()), true, Group::vit);
  block.norm2 = add.layer_norm(prefix + "norm2", width.size, Group::vit);
  block.fc1 = add.linear(prefix + "mlp.fc1", mlp, width, true, Group::vit);
  block.fc2 = add.linear(prefix + "mlp.fc2", width, mlp, true, Group::vit);
  return block;
}

DecoderLayer decoder_layer(Builder& add, const std::string& prefix, const ModelConfig& m) {
  const Axis hidden = add.whole(m.hidden), mlp = add.split(m.intermediate),
             q = add.heads(m.heads, m.head_dim()), kv = add.heads(m.kv_heads, m.head_dim());
  const std::string attn = prefix + "self_attn.";
  const auto rows = [&hidden](const std::string& name, const Axis& axis) {
    return Piece{name, axis, hidden, {axis.size, hidden.size}};
  };
  const auto held = [](const Axis& axis) { return axis.end - axis.begin; };
  DecoderLayer layer;
  layer.norm1 = add.vector(prefix + "input_layernorm.weight", m.hidden, Kind::gain, Group::decoder);
  layer.qkv = {add.matrix({rows(attn + "q_proj.weight", q), rows(attn + "k_proj.weight", kv),
                           rows(attn + "v_proj.weight", kv)},
                          Kind::weight, Group::decoder),
               -1, held(q) + 2 * held(kv), m.hidden};
  layer.qkv.bias = add.vectors(
      {{attn + "q_proj.bias", q}, {attn + "k_proj.bias", kv}, {attn + "v_proj.bias", kv}},
      Kind::bias, Group::decoder);
  layer.out = add.linear(attn + "o_proj", hidden, q, false, Group::decoder);
  layer.norm2 =
      add.vector(prefix + "post_attention_layernorm.weight", m.hidden, Kind::gain, Group::decoder);
  layer.gate_up = {add.matrix({rows(prefix + "mlp.gate_proj.weight", mlp),
                               rows(prefix + "mlp.up_proj.weight", mlp)},
                              Kind::weight, Group::decoder),
                   -1, 2 * held(mlp), m.hidden};
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

ParameterTable::ParameterTable(const ModelConfig& m, Shard held) : shard(std::move(held)) {
  const VisionConfig& v = m.vision;
  const int ranks = shard.tensor_ranks;
  require_tensor_ranks(m, ranks);
  heads = m.heads / ranks;
  kv_heads = std::max(m.kv_heads / ranks, 1);
  vit_heads = v.heads / ranks;
  vocab = block_of(m.vocab, shard.tensor_rank, ranks);
  const Units units(m);
  Builder add(*this);
  const auto at = [&](int unit) { add.in_segment(shard.segment_of(unit)); };

  at(units.patch_embed());
  const Axis pixels = add.whole(v.patch_values()), width = add.whole(v.embed_dim);
  patch_embed.weight = add.matrix(
      {{"visual.patch_embed.proj.weight",
        width,
        pixels,
        {v.embed_dim, v.in_channels, v.temporal_patch_size, v.patch_size, v.patch_size}}},
      Kind::weight, Group::vit);
  patch_embed.out = width.size, patch_embed.in = pixels.size;
  for (int b = 0; b < v.depth; ++b) {
    at(units.block(b));
    vit_blocks.push_back(vit_block(add, "visual.blocks." + std::to_string(b) + ".", v, ranks));
  }
  at(units.merger());
  const Axis joined = add.whole(long{v.embed_dim} * v.merge_unit()), hidden = add.whole(m.hidden);
  merger_norm = add.layer_norm("visual.merger.ln_q", v.embed_dim, Group::merger);
  merger_fc1 = add.linear("visual.merger.mlp.0", joined, joined, true, Group::merger);
  merger_fc2 = add.linear("visual.merger.mlp.2", hidden, joined, true, Group::merger);

  const int looked_up = shard.segment_of(units.embedding()),
            scored = shard.segment_of(units.head());
  if (m.tied && looked_up < 0 && scored >= 0)
    add.in_segment(scored);
  else
    add.in_segment(looked_up, /*copy=*/m.tied && scored < 0);
  const Axis words = add.split(m.vocab);
  embedding =
      add.matrix("model.embed_tokens.weight", words, hidden, Kind::embedding, Group::embedding);
  for (int l = 0; l < m.layers; ++l) {
    at(units.layer(l));
    layers.push_back(decoder_layer(add, "model.layers." + std::to_string(l) + ".", m));
  }
  at(units.head());
  final_norm = add.vector("model.norm.weight", m.hidden, Kind::gain, Group::decoder);
  if (!m.tied)
    head = add.linear("lm_head", words, hidden, false, Group::head);
  else if (scored >= 0)
    head = {embedding, -1, vocab.size(), m.hidden};
}

long ParameterTable::size() const {
  long sum = 0;
  for (const auto& tensor : tensors) sum += tensor.size();
  return sum;
}

}  // namespace vlmark::plan
