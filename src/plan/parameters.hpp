#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "src/base/partition.hpp"
#include "src/plan/model_config.hpp"
#include "src/plan/shard.hpp"

namespace vlmark::plan {

/// The module a tensor belongs to; a training stage freezes whole groups.
enum class Group : std::uint8_t { vit, merger, embedding, decoder, head };
const char* name_of(Group group);

/// What a tensor is: decides initial values and weight decay.
enum class Kind : std::uint8_t { weight, embedding, gain, bias };

/// How the ranks of a tensor group hold a tensor. Replicated ones get a gradient of their own
/// tokens on every rank, shared heads one of their own query heads: the sum over the holders is
/// the gradient. All tensors of a parameter are replicated, or none is.
enum class Sharing : std::uint8_t {
  split,        ///< every element on one rank
  replicated,   ///< all of it on all ranks
  shared_heads  ///< more ranks than key/value heads: each head on several ranks
};

/// The part of a global matrix [rows, columns] that a rank holds. A vector has one row.
struct TensorPart {
  long row_begin = 0, row_end = 0, column_begin = 0, column_end = 0;
  long rows = 0, columns = 0;

  long held_rows() const { return row_end - row_begin; }
  long held_columns() const { return column_end - column_begin; }
  long size() const { return held_rows() * held_columns(); }
  bool operator==(const TensorPart&) const = default;
};

/// One tensor of the checkpoint, under the name the hub gives it, or the part of it that a rank
/// holds. (A ViT's q, k and v are one tensor in the checkpoint: a part of it by heads is three
/// entries of one name.)
struct LogicalTensor {
  std::string name;
  std::vector<long> shape;  ///< of the whole tensor as stored; a linear weight is [out, in]
  Kind kind;
  Group group;
  TensorPart part;  ///< held here
  Sharing sharing;
  Block holders;  ///< tensor ranks that hold the same part
  int parameter;  ///< index of the parameter that holds it
  long offset;    ///< first element within that parameter

  long size() const { return part.size(); }  ///< of the held part
  long whole_size() const { return part.rows * part.columns; }
  /// AdamW decays tensors of two or more dimensions.
  bool decays() const { return shape.size() >= 2; }

  /// Where elements [first, first + count) of the held part lie in the whole tensor: calls
  /// run(first element there, first element of the held part, elements) for contiguous runs.
  template <class Run>
  void for_each_run(long first, long count, const Run& run) const {
    const long width = part.held_columns();
    for (const long end = first + count; first < end;) {
      const long row = first / width, column = first % width;
      const long length =
          width == part.columns ? end - first : std::min(width - column, end - first);
      run((part.row_begin + row) * part.columns + part.column_begin + column, first, length);
      first += length;
    }
  }
};

/// One matrix [rows, columns] of the engine: a logical tensor, or several stacked by rows so that
/// one product serves them (q, k, v; gate, up). A vector has one row. Extents are those held here.
struct Parameter {
  std::string name;  ///< of its first logical tensor
  long rows, columns;
  Kind kind;
  Group group;
  std::vector<int> tensors;  ///< logical tensors in order of their rows
  int order;                 ///< index in the table of the whole model
  int segment;               ///< whose last backward pass completes its gradient
  Sharing sharing;           ///< shared_heads: its k and v are; of the rest see the tensors
  /// The first stage's copy of a tied embedding that the last stage owns: no gradient here.
  bool copy;

  long size() const { return rows * columns; }
};

/// A linear layer y = x W^T + b: indices of its parameters (bias -1: none) and its extents, those
/// held here.
struct Linear {
  int weight = -1, bias = -1;
  long out = 0, in = 0;
};
struct LayerNorm {
  int gain = -1, bias = -1;
};
struct VitBlock {
  LayerNorm norm1, norm2;
  Linear qkv, proj, fc1, fc2;
};
struct DecoderLayer {
  int norm1 = -1, norm2 = -1;
  Linear qkv, out, gate_up, down;
};

/// The tensors of a model, or of a rank's shard of it, in order of first use in the forward pass,
/// and where each layer finds its own. Built from the configuration alone, so every rank can build
/// every other's. What the shard does not hold has the index -1.
///
/// Tensor parallelism (Shoeybi et al., arXiv:1909.08053, section 3): q, k, v by heads, gate, up and
/// fc1 by rows of W (column-parallel); out, down, proj and fc2 by columns of W, their bias
/// replicated (row-parallel); embedding and head by rows of the vocabulary; the rest replicated.
///
/// A tied embedding without its head is a copy; a tied head without its embedding owns the table in
/// its own segment, whose gradient is complete when the embedding's share has come from another
/// stage.
struct ParameterTable {
  explicit ParameterTable(const ModelConfig& model) : ParameterTable(model, Shard::whole(model)) {}
  /// Throws ConfigError as require_tensor_ranks does.
  ParameterTable(const ModelConfig& model, Shard shard);

  Shard shard;
  std::vector<LogicalTensor> tensors;
  std::vector<Parameter> parameters;
  int whole_parameters = 0;  ///< of the whole model: Parameter::order is below

  // Held here.
  int heads = 0, kv_heads = 0, vit_heads = 0;
  Block vocab;  ///< rows of embedding and head

  Linear patch_embed;  ///< kernel = stride = patch, so a product over flattened patches
  std::vector<VitBlock> vit_blocks;
  LayerNorm merger_norm;
  Linear merger_fc1, merger_fc2;
  int embedding = -1;
  std::vector<DecoderLayer> layers;
  int final_norm = -1;
  Linear head;  ///< tied models: the embedding

  long size() const;  ///< elements of all logical tensors, as held
  const Parameter& operator[](int parameter) const {
    return parameters[static_cast<std::size_t>(parameter)];
  }
};

}  // namespace vlmark::plan
