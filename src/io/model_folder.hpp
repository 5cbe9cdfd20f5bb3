#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "src/base/dtype.hpp"
#include "src/io/checkpoint.hpp"
#include "src/io/checkpoint_writer.hpp"
#include "src/io/hf_processing.hpp"
#include "src/plan/model_config.hpp"
#include "src/plan/parameters.hpp"
#include "src/plan/tensor_fill.hpp"

namespace vlmark::io {

/// Every missing, unexpected or wrongly shaped tensor for a model of this table, named at once.
/// Throws as Checkpoint::check.
void require_fit(const Checkpoint& checkpoint, const plan::ParameterTable& table);

/// The weights of a Hugging Face folder for a model of this table, memory-mapped; what was handed
/// out does not stay resident, so that loading needs the model's memory once. Throws IoError and
/// ShapeError as Checkpoint does; the returned function throws ValueError at the first NaN or
/// infinite weight, naming it.
plan::TensorFill read_weights(const std::filesystem::path& folder,
                              const plan::ParameterTable& table);

/// The type most weights of a checkpoint are stored in, by bytes: bf16, else fp32.
DType stored_precision(const Checkpoint& checkpoint);

/// Elements of a tensor that are in memory at a time while weights are copied.
inline constexpr long weights_piece = 1 << 20;

/// How weights are stored.
struct WeightFormat {
  DType type = DType::bf16;  ///< fp32 or bf16
  TensorNames names = TensorNames::original;
  std::uint64_t shard_bytes = default_shard_bytes;
};

/// Hands out all weights in order of the table.
using VisitWeights = std::function<void(const plan::TensorVisit&)>;

/// Writes a folder that `vlmark generate` and Hugging Face transformers load: config.json,
/// generation_config.json, preprocessor_config.json, the weights piece by piece as `visit` hands
/// them out, and the tokenizer's files (copied from `tokenizer_folder`; empty: none). Throws
/// IoError.
void write_model_folder(const std::filesystem::path& folder, const plan::ModelConfig& model,
                        const plan::ParameterTable& table, const VisitWeights& visit,
                        const WeightFormat& format, const PreprocessorConfig& preprocessor,
                        const std::filesystem::path& tokenizer_folder);

}  // namespace vlmark::io
