#include "src/io/convert.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "src/base/error.hpp"
#include "src/io/hf_config.hpp"
#include "src/io/json_text.hpp"
#include "src/io/tensor_values.hpp"

namespace vlmark::io {
namespace {

namespace fs = std::filesystem;

// What belongs to a model besides config.json and weights.
constexpr const char* kOtherFiles[] = {"generation_config.json",
                                       "preprocessor_config.json",
                                       "video_preprocessor_config.json",
                                       "processor_config.json",
                                       "chat_template.json",
                                       "chat_template.jinja",
                                       "tokenizer.json",
                                       "tokenizer_config.json",
                                       "vocab.json",
                                       "merges.txt",
                                       "added_tokens.json",
                                       "special_tokens_map.json",
                                       "README.md",
                                       "LICENSE"};

/// One tensor on its way.
struct Passage {
  const TensorView* from;
  TensorSpec to;
  const fs::path* file;  // it comes from
};

class Converter {
 public:
  Converter(const fs::path& from, const Conversion& conversion)
      : conversion_(conversion),
        model_(read_hf_config(from / "config.json")),
        table_(model_),
        checkpoint_(from) {
    require_fit(checkpoint_, table_);
  }

  bool changes_types() const { return changes_types_; }
  void write(const fs::path& to);

 private:
  Passage passage(const SafetensorsFile& file, const TensorView& tensor);
  std::vector<Shard> kept_shards();
  std::vector<Shard> new_shards(std::uint64_t shard_bytes);
  void copy(const Passage& passage, CheckpointWriter& writer) const;

  Conversion conversion_;
  plan::ModelConfig model_;
  plan::ParameterTable table_;
  Checkpoint checkpoint_;
  std::vector<Passage> passages_;  // shard by shard
  bool changes_types_ = false;
};

Passage Converter::passage(const SafetensorsFile& file, const TensorView& tensor) {
  Passage result{&tensor, {tensor.name, tensor.type, tensor.shape}, &file.path()};
  if (conversion_.names)
    result.to.name = stored_tensor_name(canonical_tensor_name(tensor.name), *conversion_.names);
  if (conversion_.type) result.to.type = tensor_type(*conversion_.type);
  changes_types_ |= result.to.type != tensor.type;
  return result;
}

std::vector<Shard> Converter::kept_shards() {
  std::vector<Shard> shards;
  for (const SafetensorsFile& file : checkpoint_.files()) {
    shards.push_back({file.path().filename().string(), {}, file.metadata()});
    for (const TensorView& tensor : file.tensors()) {
      passages_.push_back(passage(file, tensor));
      shards.back().tensors.push_back(passages_.back().to);
    }
  }
  return shards;
}

std::vector<Shard> Converter::new_shards(std::uint64_t shard_bytes) {
  std::map<std::string, std::string> metadata;
  std::map<std::string, std::size_t> order;  // of the forward pass, as transformers saves
  for (const plan::LogicalTensor& tensor : table_.tensors)
    order.try_emplace(tensor.name, order.size());
  for (const SafetensorsFile& file : checkpoint_.files()) {
    metadata.insert(file.metadata().begin(), file.metadata().end());
    for (const TensorView& tensor : file.tensors()) passages_.push_back(passage(file, tensor));
  }
  // A head that is stored although it is tied has no place in the table and comes last.
  const auto place = [&](const Passage& p) {
    const auto found = order.find(canonical_tensor_name(p.from->name));
    return found == order.end() ? order.size() : found->second;
  };
  std::stable_sort(passages_.begin(), passages_.end(),
                   [&](const Passage& a, const Passage& b) { return place(a) < place(b); });
  std::vector<TensorSpec> specs;
  for (const Passage& p : passages_) specs.push_back(p.to);
  std::vector<Shard> shards = make_shards(specs, shard_bytes);
  for (Shard& shard : shards) shard.metadata = metadata;
  return shards;
}

void Converter::copy(const Passage& p, CheckpointWriter& writer) const {
  const TensorView& from = *p.from;
  const std::size_t from_size = size_of(from.type), to_size = size_of(p.to.type);
  std::vector<float> values;
  std::vector<bf16> narrowed;
  constexpr std::size_t piece = weights_piece;
  for (std::size_t first = 0; first < from.numel(); first += piece) {
    const std::size_t count = std::min(piece, from.numel() - first);
    const auto stored = from.data.subspan(first * from_size, count * from_size);
    std::span<const std::byte> bytes = stored;
    if (from.type != p.to.type) {
      values.resize(count);
      if (p.to.type == TensorType::bf16) {
        narrowed.resize(count);
        copy_values(from, first, std::span<bf16>(narrowed));
        // Checked after rounding: the largest fp32 values become infinite.
        std::transform(narrowed.begin(), narrowed.end(), values.begin(),
                       [](bf16 value) { return widen(value); });
        bytes = std::as_bytes(std::span<const bf16>(narrowed));
      } else {
        copy_values(from, first, std::span<float>(values));
        bytes = std::as_bytes(std::span<const float>(values));
      }
      require_finite(values, first, from.name, p.file->string());
    }
    writer.write(p.to.name, first * to_size, bytes);
    drop_pages(stored);
  }
}

void Converter::write(const fs::path& to) {
  auto shards = conversion_.shard_bytes ? new_shards(*conversion_.shard_bytes) : kept_shards();
  const bool same_index = !changes_types_ && !conversion_.shard_bytes;
  CheckpointWriter writer(to, std::move(shards), same_index ? checkpoint_.index_metadata() : "");
  for (const Passage& p : passages_) copy(p, writer);
  writer.commit();
}

/// Copies config.json; where another element type is asked for than it names, with that type in
/// every place that names one.
void write_config(const fs::path& from, const fs::path& to, const char* dtype) {
  if (dtype == nullptr) return duplicate(from, to);
  auto json = nlohmann::ordered_json::parse(read_text_file(from));
  bool found = false;
  const auto set = [&](nlohmann::ordered_json& object) {
    for (const char* key : {"dtype", "torch_dtype"})
      if (object.contains(key)) {
        object[key] = dtype;
        found = true;
      }
  };
  set(json);
  for (const char* part : {"text_config", "vision_config"})
    if (json.contains(part) && json[part].is_object()) set(json[part]);
  if (!found) json["torch_dtype"] = dtype;
  write_text_file(to, json.dump(2) + "\n");
}

}  // namespace

void require_empty(const fs::path& folder) {
  std::error_code error;
  if (!fs::exists(folder, error)) return;
  if (!fs::is_directory(folder, error))
    throw IoError(folder.string() + ": is no folder. Choose another one");
  if (!fs::is_empty(folder, error) || error)
    throw IoError(folder.string() +
                  ": is not empty (files of two models must not mix). Choose another folder or "
                  "remove it");
}

void convert_model_folder(const fs::path& from, const fs::path& to, const Conversion& conversion) {
  require_empty(to);
  Converter converter(from, conversion);
  converter.write(to);
  const char* dtype = !converter.changes_types()       ? nullptr
                      : *conversion.type == DType::f32 ? "float32"
                                                       : "bfloat16";
  write_config(from / "config.json", to / "config.json", dtype);
  for (const char* name : kOtherFiles)
    if (std::error_code ignored; fs::exists(from / name, ignored))
      duplicate(from / name, to / name);
}

}  // namespace vlmark::io
