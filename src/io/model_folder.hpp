#pragma once

#include <filesystem>
#include <functional>

#include "src/base/dtype.hpp"
#include "src/io/hf_processing.hpp"
#include "src/plan/model_config.hpp"
#include "src/plan/parameters.hpp"
#include "src/plan/tensor_fill.hpp"

namespace vlmark::io {

/// The weights of a Hugging Face folder for a model of this table. Every missing, unexpected or
/// wrongly shaped tensor is named at once. Throws IoError and ShapeError as Checkpoint does; the
/// returned function throws ValueError at the first NaN or infinite weight, naming it.
plan::TensorFill read_weights(const std::filesystem::path& folder,
                              const plan::ParameterTable& table);

/// Writes a folder that `vlmark generate` and Hugging Face transformers load: config.json,
/// generation_config.json, preprocessor_config.json, model.safetensors and the tokenizer's files
/// (copied from `tokenizer_folder`). `visit` hands out all weights in order of the table; they are
/// stored as `type` (fp32 or bf16). Throws IoError.
void write_model_folder(const std::filesystem::path& folder, const plan::ModelConfig& model,
                        const plan::ParameterTable& table,
                        const std::function<void(const plan::TensorVisit&)>& visit, DType type,
                        const PreprocessorConfig& preprocessor,
                        const std::filesystem::path& tokenizer_folder);

}  // namespace vlmark::io
