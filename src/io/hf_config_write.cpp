#include <charconv>

#include "src/base/error.hpp"
#include "src/io/file.hpp"
#include "src/io/hf_config.hpp"
#include "src/io/json_text.hpp"

namespace vlmark::io {
namespace {

/// The double with the fewest digits that reads back as `value`: 1e-06, not 9.99999997475e-07.
double shortest(float value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  double result = 0;
  std::from_chars(text, end, result);
  return result;
}

}  // namespace

void write_hf_config(const std::filesystem::path& file, const plan::ModelConfig& model,
                     const std::string& dtype) {
  if (model.vision.norm_eps != 1e-6f)
    throw ConfigError(file.string() + ": the LayerNorm eps of the vision transformer is " +
                      std::to_string(model.vision.norm_eps) +
                      " (config.json has no key for it: transformers always uses 1e-6). "
                      "Export a model that was trained with 1e-6");
  const plan::VisionConfig& v = model.vision;
  nlohmann::ordered_json json = {
      {"architectures", {"Qwen2VLForConditionalGeneration"}},
      {"attention_dropout", 0.0},
      {"bos_token_id", model.bos_id},
      {"eos_token_id", model.eos_id},
      {"vision_start_token_id", model.vision_start_id},
      {"vision_end_token_id", model.vision_end_id},
      {"image_token_id", model.image_id},
      {"video_token_id", model.video_id},
      {"hidden_act", "silu"},
      {"hidden_size", model.hidden},
      {"initializer_range", 0.02},
      {"intermediate_size", model.intermediate},
      {"max_position_embeddings", model.max_positions},
      {"max_window_layers", model.layers},
      {"model_type", "qwen2_vl"},
      {"num_attention_heads", model.heads},
      {"num_hidden_layers", model.layers},
      {"num_key_value_heads", model.kv_heads},
      {"rms_norm_eps", shortest(model.rms_norm_eps)},
      {"rope_theta", shortest(model.rope_theta)},
      {"sliding_window", 32768},
      {"tie_word_embeddings", model.tied},
      {"torch_dtype", dtype},
      {"use_cache", true},
      {"use_sliding_window", false},
  };
  // The hub's files leave it out where it is the same token as bos.
  if (model.pad_id != model.bos_id) json["pad_token_id"] = model.pad_id;
  json["vision_config"] = {
      {"depth", v.depth},
      {"embed_dim", v.embed_dim},
      {"mlp_ratio", v.mlp_ratio},
      {"num_heads", v.heads},
      {"in_chans", v.in_channels},
      {"in_channels", v.in_channels},
      {"hidden_size", model.hidden},
      {"patch_size", v.patch_size},
      {"spatial_merge_size", v.merge_size},
      {"spatial_patch_size", v.patch_size},
      {"temporal_patch_size", v.temporal_patch_size},
  };
  json["rope_scaling"] = {{"type", "mrope"}, {"mrope_section", model.mrope_section}};
  json["vocab_size"] = model.vocab;
  write_text_file(file, json.dump(2) + "\n");
}

}  // namespace vlmark::io
