#include <algorithm>

#include "src/base/error.hpp"
#include "src/io/file.hpp"
#include "src/io/hf_config.hpp"
#include "src/io/json_fields.hpp"

namespace vlmark::io {
namespace {

using Json = nlohmann::json;
using Problems = std::vector<std::string>;

/// Scaling of the rotary embedding: `rope_scaling` originally, `rope_parameters` in 5.x.
void read_rope(JsonFields& text, plan::ModelConfig& model, Problems& problems) {
  auto layers = text.objects("rope_parameters");
  for (auto& layer : text.objects("rope_scaling")) layers.push_back(layer);
  JsonFields rope(layers, problems);
  model.rope_theta = static_cast<float>(text.number("rope_theta", rope.number("rope_theta", 1e6)));
  // One file may well say "mrope" in one place and "default" in another: both mean M-RoPE.
  for (const auto& [prefix, object] : layers)
    for (const char* key : {"type", "rope_type"})
      if (const auto type = object->find(key);
          type != object->end() && *type != "mrope" && *type != "default")
        rope.add(prefix + key + ": " + shown(*type) +
                 " is not supported (only \"mrope\" or \"default\")");
  const Json* sections = rope.value("mrope_section");
  const bool valid = sections != nullptr && sections->is_array() && sections->size() == 3 &&
                     std::all_of(sections->begin(), sections->end(), [](const Json& section) {
                       return section.is_number_unsigned() && section.get<std::uint64_t>() < 4096;
                     });
  if (!valid)
    return rope.add("rope_scaling.mrope_section: " +
                    (sections == nullptr ? std::string("is absent") : shown(*sections)) +
                    " (expected three whole numbers: frequencies of time, height and width)");
  for (std::size_t axis = 0; axis < 3; ++axis) model.mrope_section[axis] = (*sections)[axis];
}

/// Sizes that the nested layout leaves out where they are those of transformers' class.
void read_text_sizes(JsonFields& text, bool nested, plan::ModelConfig& model) {
  const auto size = [&](const char* key, int class_default) {
    return text.integer(key, nested ? std::optional(class_default) : std::nullopt);
  };
  model.hidden = size("hidden_size", 8192);
  model.layers = size("num_hidden_layers", 80);
  model.heads = size("num_attention_heads", 64);
  model.kv_heads = size("num_key_value_heads", 8);
  model.intermediate = size("intermediate_size", 29568);
  model.vocab = size("vocab_size", 152064);
  model.max_positions = text.integer("max_position_embeddings", 32768);
  model.rms_norm_eps = static_cast<float>(text.number("rms_norm_eps", 1e-5));
  model.tied = text.boolean("tie_word_embeddings", false);
}

void refuse_unsupported_text(JsonFields& text, const plan::ModelConfig& model) {
  text.require("hidden_act", "silu", "the decoder's MLP is SwiGLU");
  text.require("use_sliding_window", false, "attention covers the whole sequence");
  text.require("attention_dropout", 0.0, "attention has no dropout");
  if (text.has("head_dim") && model.heads > 0)
    text.require("head_dim", model.hidden / model.heads, "hidden_size / num_attention_heads");
  if (const Json* types = text.value("layer_types"); types != nullptr && types->is_array())
    for (const Json& type : *types)
      if (type != "full_attention") {
        text.add("layer_types: holds " + shown(type) + " (only \"full_attention\" is supported)");
        break;
      }
}

void read_vision(JsonFields& vision, plan::ModelConfig& model) {
  plan::VisionConfig& v = model.vision;
  v.depth = vision.integer("depth", v.depth);
  v.embed_dim = vision.integer("embed_dim", v.embed_dim);
  v.heads = vision.integer("num_heads", v.heads);
  v.mlp_ratio = vision.integer("mlp_ratio", v.mlp_ratio);
  v.in_channels = vision.integer("in_channels", v.in_channels);
  v.patch_size = vision.integer("patch_size", v.patch_size);
  v.merge_size = vision.integer("spatial_merge_size", v.merge_size);
  v.temporal_patch_size = vision.integer("temporal_patch_size", v.temporal_patch_size);
  vision.require("hidden_act", "quick_gelu", "the blocks of the vision transformer use it");
  // transformers ignores these two; another value than the one it uses is a mistake.
  vision.require("in_chans", v.in_channels, "the value of in_channels");
  vision.require("spatial_patch_size", v.patch_size, "the value of patch_size");
  const int width = vision.integer("hidden_size", 3584);
  if (width != model.hidden)
    vision.add("vision_config.hidden_size: " + std::to_string(width) +
               " (expected hidden_size = " + std::to_string(model.hidden) + "; absent means 3584)");
}

int read_eos(JsonFields& ids, int fallback) {
  const Json* value = ids.value("eos_token_id");
  if (value == nullptr || !value->is_array()) return ids.integer("eos_token_id", fallback);
  if (!value->empty())
    if (const auto id = whole_number(value->front())) return *id;
  ids.add("eos_token_id: " + shown(*value) + " (expected one or more token ids)");
  return fallback;
}

void read_special_ids(JsonFields& ids, plan::ModelConfig& model) {
  model.bos_id = ids.integer("bos_token_id", model.bos_id);
  model.eos_id = read_eos(ids, model.eos_id);
  model.pad_id = ids.integer("pad_token_id", model.bos_id);
  model.vision_start_id = ids.integer("vision_start_token_id", model.vision_start_id);
  model.vision_end_id = ids.integer("vision_end_token_id", model.vision_end_id);
  model.image_id = ids.integer("image_token_id", model.image_id);
  model.video_id = ids.integer("video_token_id", model.video_id);
}

}  // namespace

plan::ModelConfig read_hf_config(const std::filesystem::path& file) {
  const Json json = parse_json(read_text_file(file), file.string());
  if (!json.is_object())
    throw ConfigError(file.string() + ": is not a JSON object (it is " + json.type_name() +
                      "). Give the config.json of a Qwen2-VL model");
  Problems problems;
  JsonFields top({{"", &json}}, problems);
  JsonFields vision(top.objects("vision_config"), problems);
  auto text_layers = top.objects("text_config");
  const bool nested = !text_layers.empty();
  text_layers.push_back({"", &json});
  JsonFields text(text_layers, problems);

  plan::ModelConfig model;
  // absolute(): "config.json" alone has no parent folder to take a name from.
  model.name = std::filesystem::absolute(file).lexically_normal().parent_path().filename().string();
  if (top.text("model_type", "") != "qwen2_vl")
    top.add("model_type: " + (top.has("model_type") ? shown(json["model_type"]) : "is absent") +
            " (only \"qwen2_vl\" is supported)");
  if (top.has("quantization_config"))
    top.add("quantization_config: quantised weights are not supported (only bf16 and fp32)");
  read_text_sizes(text, nested, model);
  refuse_unsupported_text(text, model);
  read_rope(text, model, problems);
  read_special_ids(text, model);
  read_vision(vision, model);
  for (const auto& problem : plan::problems(model)) problems.push_back(problem);
  if (problems.empty()) return model;
  std::string list;
  for (const auto& problem : problems) list += "\n  " + problem;
  throw ConfigError(
      file.string() + ": describes no model that can be run (" + std::to_string(problems.size()) +
      " problems). Give the config.json of a Qwen2-VL model, or correct these:" + list);
}

}  // namespace vlmark::io
