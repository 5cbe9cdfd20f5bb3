#include "src/io/model_folder.hpp"

#include <cmath>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "src/base/bf16.hpp"
#include "src/base/error.hpp"
#include "src/io/checkpoint.hpp"
#include "src/io/hf_config.hpp"
#include "src/io/tensor_values.hpp"

namespace vlmark::io {
namespace {

namespace fs = std::filesystem;

std::vector<std::byte> as_bytes(std::span<const float> values, DType type) {
  std::vector<std::byte> bytes(values.size() * size_of(type));
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (type == DType::f32) {
      std::memcpy(bytes.data() + 4 * i, &values[i], 4);
    } else {
      const bf16 rounded = to_bf16(values[i]);
      std::memcpy(bytes.data() + 2 * i, &rounded, 2);
    }
  }
  return bytes;
}

void copy_tokenizer(const fs::path& from, const fs::path& to) {
  for (const char* name : {"tokenizer.json", "vocab.json", "merges.txt", "tokenizer_config.json"}) {
    std::error_code error;
    if (!fs::exists(from / name, error)) continue;
    fs::copy_file(from / name, to / name, fs::copy_options::overwrite_existing, error);
    if (error)
      throw IoError("export: " + (from / name).string() + " cannot be copied to " + to.string() +
                    " (" + error.message() + "). Check space and permissions");
  }
}

}  // namespace

plan::TensorFill read_weights(const fs::path& folder, const plan::ParameterTable& table) {
  const auto checkpoint = std::make_shared<Checkpoint>(folder);
  std::vector<ExpectedTensor> expected;
  for (const plan::LogicalTensor& tensor : table.tensors)
    expected.push_back({tensor.name, {tensor.shape.begin(), tensor.shape.end()}});
  checkpoint->check(expected);
  return [checkpoint](const plan::LogicalTensor& tensor, long first, std::span<float> values) {
    copy_values(checkpoint->tensor(tensor.name), static_cast<std::size_t>(first), values);
    for (std::size_t i = 0; i < values.size(); ++i)
      if (!std::isfinite(values[i]))
        throw ValueError(checkpoint->file_of(tensor.name).string() + ": element " +
                         std::to_string(static_cast<std::size_t>(first) + i) + " of '" +
                         tensor.name + "' is " + std::to_string(values[i]) +
                         " (every output would be NaN). Download or export the checkpoint again");
  };
}

void write_model_folder(const fs::path& folder, const plan::ModelConfig& model,
                        const plan::ParameterTable& table,
                        const std::function<void(const plan::TensorVisit&)>& visit, DType type,
                        const PreprocessorConfig& preprocessor, const fs::path& tokenizer_folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    throw IoError("export: the folder " + folder.string() + " cannot be created (" +
                  error.message() + "). Choose another output.folder");
  write_hf_config(folder / "config.json", model, type == DType::f32 ? "float32" : "bfloat16");
  write_generation_config(folder / "generation_config.json", generation_config_of(model));
  write_preprocessor_config(folder / "preprocessor_config.json", preprocessor, model.vision);
  copy_tokenizer(tokenizer_folder, folder);

  std::map<std::string, std::vector<std::byte>> data;
  visit([&](const plan::LogicalTensor& tensor, long, std::span<const float> values) {
    const std::vector<std::byte> bytes = as_bytes(values, type);
    auto& all = data[tensor.name];
    all.insert(all.end(), bytes.begin(), bytes.end());
  });
  std::vector<TensorSource> sources;
  for (const plan::LogicalTensor& tensor : table.tensors)
    sources.push_back(from_memory(tensor.name, tensor_type(type),
                                  {tensor.shape.begin(), tensor.shape.end()},
                                  data.at(tensor.name)));
  write_checkpoint(folder, sources);
}

}  // namespace vlmark::io
