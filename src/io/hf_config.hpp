#pragma once

#include <filesystem>
#include <string>

#include "src/plan/model_config.hpp"

namespace vlmark::io {

/// Reads the Hugging Face `config.json` of a Qwen2-VL model, in the hub's flat layout, in the
/// nested layout (`text_config`, `rope_parameters`) of later transformers, or both at once.
///
/// Absent keys get the defaults of transformers' classes, because a re-saved config leaves them
/// out: vision depth 32, embed_dim 1280, num_heads 16, mlp_ratio 4, patch_size 14,
/// spatial_merge_size 2, temporal_patch_size 2, quick_gelu, vision hidden_size 3584;
/// rms_norm_eps 1e-5, rope_theta 1e6, tie_word_embeddings false, the special ids of the hub. In the
/// nested layout the text sizes too (those of the 72B model); the flat layout always has them, so
/// there they are required. `pad_id` is pad_token_id, else bos_token_id, which are the same token
/// in every published model. `eos_token_id` may be a list: its first entry counts.
///
/// The rotary embedding is M-RoPE when `mrope_section` exists, whether the type says "mrope" or
/// "default". Throws ConfigError that lists all problems at once with both values: unsupported
/// settings (another model_type, activation, sliding window, quantisation, ...), a vision
/// hidden_size other than the text's, wrong types, and plan::problems(). IoError when the file
/// cannot be read or is no JSON.
plan::ModelConfig read_hf_config(const std::filesystem::path& file);

/// Writes `config.json` in the hub's flat layout, so that a folder loads in every version of
/// transformers. `dtype` is "bfloat16" or "float32": what the weights beside it are stored in.
/// Throws ConfigError for a model that the format cannot describe, IoError.
void write_hf_config(const std::filesystem::path& file, const plan::ModelConfig& model,
                     const std::string& dtype = "bfloat16");

}  // namespace vlmark::io
