#include "src/io/hf_processing.hpp"

#include <cmath>

#include "src/base/error.hpp"
#include "src/io/file.hpp"
#include "src/io/json_fields.hpp"

namespace vlmark::io {
namespace {

using Json = nlohmann::json;

Json read_object(const std::filesystem::path& file) {
  Json json = parse_json(read_text_file(file), file.string());
  if (!json.is_object())
    throw ConfigError(file.string() + ": is not a JSON object (it is " + json.type_name() +
                      "). Fetch the model's folder again");
  return json;
}

void require_none(const std::filesystem::path& file, const std::vector<std::string>& problems) {
  if (problems.empty()) return;
  std::string text =
      file.string() + ": cannot be followed (" + std::to_string(problems.size()) + " problems)";
  for (const auto& problem : problems) text += "\n  " + problem;
  throw ConfigError(text);
}

std::vector<int> read_eos_ids(JsonFields& fields, const std::vector<int>& fallback) {
  const Json* value = fields.value("eos_token_id");
  if (value == nullptr) return fallback;
  if (const auto id = whole_number(*value)) return {*id};
  std::vector<int> ids;
  if (value->is_array())
    for (const Json& id : *value)
      if (const auto number = whole_number(id)) ids.push_back(*number);
  if (!value->is_array() || ids.empty() || ids.size() != value->size()) {
    fields.add("eos_token_id: " + shown(*value) + " (expected one or more token ids)");
    return fallback;
  }
  return ids;
}

std::array<double, 3> read_channels(JsonFields& fields, const std::string& key,
                                    const std::array<double, 3>& fallback) {
  const Json* value = fields.value(key);
  if (value == nullptr) return fallback;
  std::array<double, 3> channels = fallback;
  bool valid = value->is_array() && value->size() == 3;
  for (std::size_t c = 0; valid && c < 3; ++c) {
    valid = (*value)[c].is_number();
    if (valid) channels[c] = (*value)[c].get<double>();
  }
  if (!valid)
    fields.add(key + ": " + shown(*value) + " (expected three numbers: red, green, blue)");
  return channels;
}

/// `key`, or its later spelling inside `size`.
std::int64_t read_pixels(JsonFields& fields, const std::string& key, const char* edge,
                         std::int64_t fallback) {
  const Json* value = fields.value(key);
  if (value == nullptr)
    if (const Json* size = fields.value("size"); size != nullptr && size->is_object())
      if (const auto found = size->find(edge); found != size->end()) value = &*found;
  if (value == nullptr || value->is_null()) return fallback;
  if (value->is_number_unsigned() && value->get<std::uint64_t>() < std::uint64_t{1} << 62)
    return value->get<std::int64_t>();
  fields.add(key + ": " + shown(*value) + " (expected a number of pixels)");
  return fallback;
}

}  // namespace

GenerationConfig generation_config_of(const plan::ModelConfig& model) {
  GenerationConfig config;
  config.bos_id = model.bos_id;
  config.pad_id = model.pad_id;
  config.eos_ids = {model.eos_id};
  if (model.pad_id != model.eos_id) config.eos_ids.push_back(model.pad_id);
  return config;
}

GenerationConfig read_generation_config(const std::filesystem::path& file,
                                        const plan::ModelConfig& model) {
  const Json json = read_object(file);
  std::vector<std::string> problems;
  JsonFields fields({{"", &json}}, problems);
  GenerationConfig config = generation_config_of(model);
  config.bos_id = fields.integer("bos_token_id", config.bos_id);
  config.pad_id = fields.integer("pad_token_id", config.pad_id);
  config.eos_ids = read_eos_ids(fields, config.eos_ids);
  config.do_sample = fields.boolean("do_sample", config.do_sample);
  config.temperature = fields.number("temperature", config.temperature);
  config.top_p = fields.number("top_p", config.top_p);
  config.top_k = fields.integer("top_k", config.top_k);
  config.repetition_penalty = fields.number("repetition_penalty", config.repetition_penalty);
  for (const int id : config.eos_ids)
    if (id < 0 || id >= model.vocab)
      problems.push_back("eos_token_id: " + std::to_string(id) + " is outside the vocabulary of " +
                         std::to_string(model.vocab));
  require_none(file, problems);
  return config;
}

void write_generation_config(const std::filesystem::path& file, const GenerationConfig& config) {
  const nlohmann::ordered_json json = {{"bos_token_id", config.bos_id},
                                       {"pad_token_id", config.pad_id},
                                       {"do_sample", config.do_sample},
                                       {"eos_token_id", config.eos_ids},
                                       {"repetition_penalty", config.repetition_penalty},
                                       {"temperature", config.temperature},
                                       {"top_p", config.top_p},
                                       {"top_k", config.top_k}};
  write_text_file(file, json.dump(2) + "\n");
}

PreprocessorConfig read_preprocessor_config(const std::filesystem::path& file,
                                            const plan::VisionConfig& vision) {
  const Json json = read_object(file);
  std::vector<std::string> problems;
  JsonFields fields({{"", &json}}, problems);
  PreprocessorConfig config;
  config.min_pixels = read_pixels(fields, "min_pixels", "shortest_edge", 3136);
  config.max_pixels = read_pixels(fields, "max_pixels", "longest_edge", 1003520);
  config.mean = read_channels(fields, "image_mean", config.mean);
  config.std = read_channels(fields, "image_std", config.std);
  fields.require("patch_size", vision.patch_size, "that of config.json");
  fields.require("temporal_patch_size", vision.temporal_patch_size, "that of config.json");
  fields.require("merge_size", vision.merge_size, "the spatial_merge_size of config.json");
  for (const char* step : {"do_resize", "do_rescale", "do_normalize", "do_convert_rgb"})
    fields.require(step, true, "the step is always done");
  fields.require("resample", 3, "bicubic");
  const double rescale = fields.number("rescale_factor", 1.0 / 255);
  if (!(std::abs(rescale * 255 - 1) < 1e-6))
    problems.push_back("rescale_factor: " + std::to_string(rescale) + " (expected 1/255)");
  if (config.min_pixels <= 0 || config.max_pixels < config.min_pixels)
    problems.push_back("min_pixels: " + std::to_string(config.min_pixels) + " and max_pixels: " +
                       std::to_string(config.max_pixels) + " (expected 0 < min <= max)");
  for (const double deviation : config.std)
    if (!(deviation > 0))
      problems.push_back("image_std: " + std::to_string(deviation) + " must be positive");
  require_none(file, problems);
  return config;
}

void write_preprocessor_config(const std::filesystem::path& file, const PreprocessorConfig& config,
                               const plan::VisionConfig& vision) {
  const nlohmann::ordered_json json = {{"min_pixels", config.min_pixels},
                                       {"max_pixels", config.max_pixels},
                                       {"patch_size", vision.patch_size},
                                       {"temporal_patch_size", vision.temporal_patch_size},
                                       {"merge_size", vision.merge_size},
                                       {"image_mean", config.mean},
                                       {"image_std", config.std},
                                       {"image_processor_type", "Qwen2VLImageProcessor"},
                                       {"processor_class", "Qwen2VLProcessor"}};
  write_text_file(file, json.dump(2) + "\n");
}

}  // namespace vlmark::io
