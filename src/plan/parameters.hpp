#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "src/plan/model_config.hpp"

namespace vlmark::plan {

/// The module a tensor belongs to; a training stage freezes whole groups.
enum class Group : std::uint8_t { vit, merger, embedding, decoder, head };
const char* name_of(Group group);

/// What a tensor is: decides initial values and weight decay.
enum class Kind : std::uint8_t { weight, embedding, gain, bias };

/// One tensor of the checkpoint, under the name the hub gives it.
struct LogicalTensor {
  std::string name;
  std::vector<long> shape;  ///< as stored; a linear weight is [out, in]
  Kind kind;
  Group group;
  int parameter;  ///< index of the parameter that holds it
  long offset;    ///< first element within that parameter

  long size() const;
  /// AdamW decays tensors of two or more dimensions.
  bool decays() const { return shape.size() >= 2; }
};

/// One matrix [rows, columns] of the engine: a logical tensor, or several stacked by rows so that
/// one product serves them (q, k, v; gate, up). A vector has one row.
struct Parameter {
  std::string name;  ///< of its first logical tensor
  long rows, columns;
  Kind kind;
  Group group;
  std::vector<int> tensors;  ///< logical tensors in order of their rows

  long size() const { return rows * columns; }
};

/// A linear layer y = x W^T + b: indices of its parameters (bias -1: none) and its extents.
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

/// All tensors of a model in order of first use in the forward pass, and where each layer finds
/// its own. Built from the configuration alone; every rank builds the same table.
struct ParameterTable {
  explicit ParameterTable(const ModelConfig& model);

  std::vector<LogicalTensor> tensors;
  std::vector<Parameter> parameters;

  Linear patch_embed;  ///< kernel = stride = patch, so a product over flattened patches
  std::vector<VitBlock> vit_blocks;
  LayerNorm merger_norm;
  Linear merger_fc1, merger_fc2;
  int embedding = -1;
  std::vector<DecoderLayer> layers;
  int final_norm = -1;
  Linear head;  ///< tied models: the embedding

  long size() const;  ///< elements of all logical tensors
  const Parameter& operator[](int parameter) const {
    return parameters[static_cast<std::size_t>(parameter)];
  }
};

}  // namespace vlmark::plan
