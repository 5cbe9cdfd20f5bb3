#include "src/io/model_folder.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "src/base/bf16.hpp"
#include "src/base/error.hpp"
#include "src/io/hf_config.hpp"
#include "src/io/tensor_values.hpp"

namespace vlmark::io {
namespace {

namespace fs = std::filesystem;

void copy_tokenizer(const fs::path& from, const fs::path& to) {
  for (const char* name : {"tokenizer.json", "vocab.json", "merges.txt", "tokenizer_config.json"}) {
    if (std::error_code ignored; fs::exists(from / name, ignored))
      duplicate(from / name, to / name);
  }
}

std::vector<TensorSpec> specs_of(const plan::ParameterTable& table, const WeightFormat& format) {
  std::vector<TensorSpec> specs;
  for (const plan::LogicalTensor& tensor : table.tensors)
    specs.push_back({stored_tensor_name(tensor.name, format.names),
                     tensor_type(format.type),
                     {tensor.shape.begin(), tensor.shape.end()}});
  return specs;
}

void write_weights(CheckpointWriter& writer, const VisitWeights& visit,
                   const WeightFormat& format) {
  std::vector<bf16> narrowed;
  visit([&](const plan::LogicalTensor& tensor, long first, std::span<const float> values) {
    std::span<const std::byte> bytes = std::as_bytes(values);
    if (format.type == DType::bf16) {
      narrowed.resize(values.size());
      std::transform(values.begin(), values.end(), narrowed.begin(), to_bf16);
      bytes = std::as_bytes(std::span<const bf16>(narrowed));
    }
    writer.write(stored_tensor_name(tensor.name, format.names),
                 static_cast<std::uint64_t>(first) * size_of(format.type), bytes);
  });
  writer.commit();
}

}  // namespace

void require_fit(const Checkpoint& checkpoint, const plan::ParameterTable& table) {
  std::vector<ExpectedTensor> expected;
  for (const plan::LogicalTensor& tensor : table.tensors)
    expected.push_back({tensor.name, {tensor.shape.begin(), tensor.shape.end()}});
  checkpoint.check(expected);
}

plan::TensorFill read_weights(const fs::path& folder, const plan::ParameterTable& table) {
  const auto checkpoint = std::make_shared<Checkpoint>(folder);
  require_fit(*checkpoint, table);
  return [checkpoint](const plan::LogicalTensor& tensor, long first, std::span<float> values) {
    const TensorView& stored = checkpoint->tensor(tensor.name);
    const auto begin = static_cast<std::size_t>(first);
    copy_values(stored, begin, values);
    require_finite(values, begin, tensor.name, checkpoint->file_of(tensor.name).string());
    const std::size_t size = size_of(stored.type);
    drop_pages(stored.data.subspan(begin * size, values.size() * size));
  };
}

DType stored_precision(const Checkpoint& checkpoint) {
  std::uint64_t narrow = 0;
  for (const SafetensorsFile& file : checkpoint.files())
    for (const TensorView& tensor : file.tensors())
      if (tensor.type == TensorType::bf16) narrow += tensor.data.size();
  return 2 * narrow > checkpoint.bytes() ? DType::bf16 : DType::f32;
}

void write_model_folder(const fs::path& folder, const plan::ModelConfig& model,
                        const plan::ParameterTable& table, const VisitWeights& visit,
                        const WeightFormat& format, const PreprocessorConfig& preprocessor,
                        const fs::path& tokenizer_folder) {
  CheckpointWriter writer(folder, make_shards(specs_of(table, format), format.shard_bytes));
  write_hf_config(folder / "config.json", model,
                  format.type == DType::f32 ? "float32" : "bfloat16");
  write_generation_config(folder / "generation_config.json", generation_config_of(model));
  write_preprocessor_config(folder / "preprocessor_config.json", preprocessor, model.vision);
  if (!tokenizer_folder.empty()) copy_tokenizer(tokenizer_folder, folder);
  write_weights(writer, visit, format);
}

}  // namespace vlmark::io
