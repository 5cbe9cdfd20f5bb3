#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "src/app/commands.hpp"
#include "src/base/error.hpp"
#include "src/data/byte_tokenizer.hpp"
#include "src/data/tokenizer.hpp"
#include "src/io/convert.hpp"
#include "src/io/hf_config.hpp"
#include "src/recipe/caption_data.hpp"

namespace vlmark::app {
namespace {

namespace fs = std::filesystem;

DType dtype_of(const std::string& text) { return text == "fp32" ? DType::f32 : DType::bf16; }

io::TensorNames names_of(const std::string& text) {
  if (text == "nested") return io::TensorNames::nested;
  return text == "bare" ? io::TensorNames::bare : io::TensorNames::original;
}

/// The tokenizer of a model of random weights: the one given, the model folder's, or one of bytes.
/// Checked against the model; gives its folder (empty: of bytes) and `text` (of bytes).
fs::path tokenizer_for(const ConvertOptions& options, const plan::ModelConfig& model,
                       std::string& text) {
  const auto has_tokenizer = [](const fs::path& folder) {
    return fs::exists(folder / "tokenizer.json") || fs::exists(folder / "vocab.json");
  };
  fs::path folder = options.tokenizer;
  if (folder.empty() && has_tokenizer(options.model)) folder = options.model;
  if (folder.empty()) text = data::byte_tokenizer_json(model);
  recipe::require_same_special_tokens(
      folder.empty() ? data::Tokenizer::from_json_text(text) : data::Tokenizer::from_folder(folder),
      model);
  return folder;
}

void make_random(const ConvertOptions& options) {
  const fs::path out = options.out;
  const bool folder = fs::is_directory(options.model);
  const plan::ModelConfig model = folder
                                      ? io::read_hf_config(fs::path(options.model) / "config.json")
                                      : plan::model_preset(options.model);
  const plan::ParameterTable table(model);
  std::string text;
  const fs::path tokenizer = tokenizer_for(options, model, text);
  io::require_empty(out);
  const plan::TensorFill fill = plan::initial_weights(*options.random_seed);
  const auto visit = [&](const plan::TensorVisit& take) {
    std::vector<float> values;
    for (const plan::LogicalTensor& tensor : table.tensors)
      for (long first = 0; first < tensor.size(); first += io::weights_piece) {
        values.resize(static_cast<std::size_t>(std::min(io::weights_piece, tensor.size() - first)));
        fill(tensor, first, values);
        take(tensor, first, values);
      }
  };
  io::WeightFormat format{dtype_of(options.dtype), names_of(options.names)};
  if (options.shard_bytes > 0) format.shard_bytes = options.shard_bytes;
  io::write_model_folder(out, model, table, visit, format, {}, tokenizer);
  if (!text.empty()) io::write_text_file(out / "tokenizer.json", text);
}

void convert(const ConvertOptions& options) {
  if (!options.tokenizer.empty())
    throw ConfigError("--tokenizer: " + options.tokenizer +
                      " (a folder that is converted keeps its tokenizer). Leave it out, or give "
                      "--random-weights");
  const auto presets = plan::model_preset_names();
  if (!fs::exists(options.model) &&
      std::find(presets.begin(), presets.end(), options.model) != presets.end())
    throw IoError(options.model + "/config.json: cannot be opened (" + options.model +
                  " is a preset, which has no weights). Give --random-weights SEED");
  io::Conversion conversion;
  if (!options.dtype.empty()) conversion.type = dtype_of(options.dtype);
  if (!options.names.empty()) conversion.names = names_of(options.names);
  if (options.shard_bytes > 0) conversion.shard_bytes = options.shard_bytes;
  io::convert_model_folder(options.model, options.out, conversion);
}

}  // namespace

int convert_command(const ConvertOptions& options) {
  if (options.random_seed)
    make_random(options);
  else
    convert(options);
  const io::Checkpoint written(options.out);
  fmt::print("{}: {} tensors, {:.3f} GB, {} file{}\n", options.out, written.names().size(),
             static_cast<double>(written.bytes()) * 1e-9, written.files().size(),
             written.files().size() == 1 ? "" : "s");
  return static_cast<int>(ExitCode::ok);
}

}  // namespace vlmark::app
