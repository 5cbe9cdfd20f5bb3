#include "src/plan/model_config.hpp"

#include <cmath>
#include <sstream>
#include <tuple>

#include "src/base/error.hpp"

namespace vlmark::plan {
namespace {

ModelConfig published(std::string_view name, int hidden, int layers, int heads, int kv_heads,
                      int intermediate, int vocab, bool tied) {
  ModelConfig m;
  m.name = name;
  m.hidden = hidden;
  m.layers = layers;
  m.heads = heads;
  m.kv_heads = kv_heads;
  m.intermediate = intermediate;
  m.vocab = vocab;
  m.tied = tied;
  return m;
}

ModelConfig nano() {
  ModelConfig m = published("nano", 256, 4, 2, 1, 768, 544, true);
  m.vision.depth = 4;
  m.vision.embed_dim = 320;
  m.vision.heads = 4;
  // The ids of configs/tokenizer-nano/tokenizer.json: 512 byte-level tokens, then Qwen2's fourteen.
  m.bos_id = m.pad_id = 512;
  m.eos_id = 514;
  m.vision_start_id = 521;
  m.vision_end_id = 522;
  m.image_id = 524;
  m.video_id = 525;
  return m;
}

}  // namespace

std::vector<std::string> model_preset_names() { return {"nano", "2B", "7B", "72B"}; }

ModelConfig model_preset(std::string_view name) {
  if (name == "nano") return nano();
  if (name == "2B") return published(name, 1536, 28, 12, 2, 8960, 151936, true);
  if (name == "7B") return published(name, 3584, 28, 28, 4, 18944, 152064, false);
  if (name == "72B") return published(name, 8192, 80, 64, 8, 29568, 152064, false);
  std::string known;
  for (const auto& preset : model_preset_names()) known += (known.empty() ? "" : ", ") + preset;
  throw ConfigError("model: no preset is called '" + std::string(name) + "'. Use one of " + known);
}

std::vector<std::string> problems(const ModelConfig& m) {
  std::vector<std::string> found;
  const auto expect = [&found](bool ok, const auto&... parts) {
    if (ok) return;
    std::ostringstream text;
    (text << ... << parts);
    found.push_back(text.str());
  };
  const VisionConfig& v = m.vision;
  const bool positive = m.hidden > 0 && m.layers > 0 && m.heads > 0 && m.kv_heads > 0 &&
                        m.intermediate > 0 && m.vocab > 0 && v.depth > 0 && v.embed_dim > 0 &&
                        v.heads > 0 && v.mlp_ratio > 0 && v.in_channels > 0 && v.patch_size > 0 &&
                        v.temporal_patch_size > 0 && v.merge_size > 0;
  expect(positive, "model: every size must be positive");
  if (!positive) return found;  // the divisions below need it
  // Ten times and more what the largest models have; products of two sizes then fit an int, and
  // the table of tensors fits memory.
  const std::tuple<const char*, int, int> largest[] = {
      {"num_hidden_layers", m.layers, 2048},
      {"hidden_size", m.hidden, 1 << 18},
      {"intermediate_size", m.intermediate, 1 << 20},
      {"vocab_size", m.vocab, 1 << 24},
      {"max_position_embeddings", m.max_positions, 1 << 30},
      {"vision_config.depth", v.depth, 2048},
      {"vision_config.embed_dim", v.embed_dim, 1 << 16},
      {"vision_config.mlp_ratio", v.mlp_ratio, 64},
      {"vision_config.in_channels", v.in_channels, 64},
      {"vision_config.patch_size", v.patch_size, 256},
      {"vision_config.temporal_patch_size", v.temporal_patch_size, 64},
      {"vision_config.spatial_merge_size", v.merge_size, 64}};
  for (const auto& [name, size, most] : largest)
    expect(size <= most, name, ": ", size, " is above ", most, ", the largest that is supported");
  if (!found.empty()) return found;
  expect(m.hidden % m.heads == 0, "num_attention_heads: ", m.heads,
         " does not divide hidden_size = ", m.hidden);
  expect(m.heads % m.kv_heads == 0, "num_key_value_heads: ", m.kv_heads,
         " does not divide num_attention_heads = ", m.heads);
  expect(m.head_dim() % 8 == 0 && m.head_dim() <= 256, "head_dim: ", m.head_dim(),
         " is not a multiple of 8 up to 256");
  const int sections = m.mrope_section[0] + m.mrope_section[1] + m.mrope_section[2];
  expect(2 * sections == m.head_dim(), "mrope_section: sums to ", sections,
         " (expected head_dim / 2 = ", m.head_dim() / 2, ")");
  expect(v.embed_dim % v.heads == 0, "vision_config.num_heads: ", v.heads,
         " does not divide embed_dim = ", v.embed_dim);
  expect(v.head_dim() % 8 == 0 && v.head_dim() <= 256, "vision head_dim: ", v.head_dim(),
         " is not a multiple of 8 up to 256");
  expect(m.rms_norm_eps > 0 && std::isfinite(m.rms_norm_eps), "rms_norm_eps: ", m.rms_norm_eps,
         " must be positive and finite in fp32");
  expect(m.rope_theta > 1 && std::isfinite(m.rope_theta), "rope_theta: ", m.rope_theta,
         " must be above 1 and finite in fp32");
  expect(m.max_positions > 0, "max_position_embeddings: ", m.max_positions, " must be positive");
  const auto id = [&](const char* name, int value) {
    expect(value >= 0 && value < m.vocab, name, ": ", value, " is outside the vocabulary of ",
           m.vocab);
  };
  id("vision_start_token_id", m.vision_start_id);
  id("vision_end_token_id", m.vision_end_id);
  id("image_token_id", m.image_id);
  id("video_token_id", m.video_id);
  id("eos_token_id", m.eos_id);
  return found;
}

}  // namespace vlmark::plan
