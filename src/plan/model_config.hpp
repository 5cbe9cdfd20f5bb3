#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace vlmark::plan {

/// Vision transformer: the defaults are those of every published Qwen2-VL.
struct VisionConfig {
  int depth = 32;               ///< blocks
  int embed_dim = 1280;         ///< width
  int heads = 16;               ///< attention heads; head_dim = embed_dim / heads
  int mlp_ratio = 4;            ///< MLP width = mlp_ratio * embed_dim
  int in_channels = 3;          ///< colour channels
  int patch_size = 14;          ///< pixels a side
  int temporal_patch_size = 2;  ///< frames joined by the patch embedding
  int merge_size = 2;           ///< patches a side that become one token
  float norm_eps = 1e-6f;       ///< of every LayerNorm

  int head_dim() const { return embed_dim / heads; }
  int mlp_width() const { return mlp_ratio * embed_dim; }
  int patch_values() const { return in_channels * temporal_patch_size * patch_size * patch_size; }
  int merge_unit() const { return merge_size * merge_size; }  ///< patches per token
  bool operator==(const VisionConfig&) const = default;
};

/// Everything that fixes the arithmetic of a Qwen2-VL model.
struct ModelConfig {
  std::string name;      ///< preset or folder it came from; no influence on arithmetic
  int hidden = 0;        ///< LLM width
  int layers = 0;        ///< decoder layers
  int heads = 0;         ///< query heads
  int kv_heads = 0;      ///< key/value heads, each shared by heads / kv_heads query heads
  int intermediate = 0;  ///< SwiGLU width
  int vocab = 0;         ///< rows of the embedding
  bool tied = false;     ///< the head is the embedding matrix
  float rms_norm_eps = 1e-6f;
  float rope_theta = 1e6f;
  std::array<int, 3> mrope_section = {16, 24, 24};  ///< frequencies of time, height, width
  int max_positions = 32768;
  VisionConfig vision;
  int bos_id = 151643, eos_id = 151645;
  int pad_id = 151643;  ///< <|endoftext|>, also ends a generation
  int vision_start_id = 151652, vision_end_id = 151653;
  int image_id = 151655, video_id = 151656;

  int head_dim() const { return hidden / heads; }
  int q_width() const { return hidden; }
  int kv_width() const { return kv_heads * head_dim(); }
  bool operator==(const ModelConfig&) const = default;
};

/// A published size ("2B", "7B", "72B") or the project's own "nano": the real architecture with
/// about 9 M parameters, head_dim 128 in the LLM and 80 in the ViT.
/// Throws ConfigError that names all presets.
ModelConfig model_preset(std::string_view name);
std::vector<std::string> model_preset_names();

/// Every problem of a model description, not only the first; empty means valid.
std::vector<std::string> problems(const ModelConfig& model);

}  // namespace vlmark::plan
