#include "src/io/checkpoint.hpp"

#include <algorithm>
#include <set>

#include "src/base/error.hpp"
#include "src/io/json_text.hpp"

namespace vlmark::io {
namespace {

constexpr const char* kSingle = "model.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";

std::map<std::string, std::string> read_weight_map(const nlohmann::json& json,
                                                   const std::filesystem::path& index) {
  if (!json.is_object() || !json.contains("weight_map") || !json["weight_map"].is_object())
    throw IoError(index.string() +
                  ": has no 'weight_map' (expected {tensor: file}). Fetch the index again");
  std::map<std::string, std::string> files;
  for (const auto& [name, file] : json["weight_map"].items()) {
    if (!file.is_string() || file.get<std::string>().empty() ||
        std::filesystem::path(file.get<std::string>()).has_parent_path())
      throw IoError(index.string() + ": tensor '" + name + "' is in " + shown(file) +
                    " (expected the name of a file beside the index). Fetch the index again");
    files[name] = file.get<std::string>();
  }
  return files;
}

/// One error for a list of problems.
IoError all_of(const std::filesystem::path& path, const std::string& what,
               const std::vector<std::string>& problems) {
  std::string text = path.string() + ": " + what;
  for (const auto& problem : problems) text += "\n  " + problem;
  return IoError(text);
}

}  // namespace

std::string canonical_tensor_name(std::string_view stored) {
  constexpr std::string_view kModel = "model.", kLanguage = "language_model.", kVisual = "visual.";
  if (stored.starts_with(kModel)) {
    const auto rest = stored.substr(kModel.size());
    if (rest.starts_with(kVisual) || rest.starts_with(kLanguage)) stored = rest;
  }
  if (stored.starts_with(kLanguage))
    return std::string(kModel) + std::string(stored.substr(kLanguage.size()));
  return std::string(stored);
}

std::string stored_tensor_name(std::string_view canonical, TensorNames names) {
  constexpr std::string_view kModel = "model.", kVisual = "visual.";
  const std::string name(canonical);
  if (names == TensorNames::bare && name == "lm_head.weight")
    throw ValueError(
        "lm_head.weight: has no name in the bare model class (it has no head, so the weight would "
        "be lost). Choose original or nested names");
  if (names != TensorNames::original && name.starts_with(kModel)) {
    const std::string inner = "language_model." + name.substr(kModel.size());
    return names == TensorNames::bare ? inner : "model." + inner;
  }
  return names == TensorNames::nested && name.starts_with(kVisual) ? "model." + name : name;
}

Checkpoint::Checkpoint(const std::filesystem::path& folder) : path_(folder) {
  std::error_code ignored;  // an unreadable folder reads as one without a checkpoint, said below
  const auto exists = [&](const std::filesystem::path& file) {
    return std::filesystem::exists(file, ignored);
  };
  if (std::filesystem::is_regular_file(folder, ignored)) {
    add_file(folder);
  } else if (exists(folder / kSingle) && exists(folder / kIndex)) {
    throw IoError(folder.string() + ": holds both " + kSingle + " and " + kIndex +
                  " (which of the two is the model is not clear). Remove one of them");
  } else if (exists(folder / kSingle)) {
    add_file(folder / kSingle);
  } else if (exists(folder / kIndex)) {
    open_sharded(folder / kIndex);
  } else {
    throw IoError(folder.string() + ": holds no checkpoint (neither " + kSingle + " nor " + kIndex +
                  "). Give the folder of a Hugging Face model");
  }
}

void Checkpoint::add_file(const std::filesystem::path& path) {
  files_.emplace_back(path);
  for (const TensorView& tensor : files_.back().tensors()) {
    const auto name = canonical_tensor_name(tensor.name);
    const auto [at, added] = tensors_.try_emplace(name, Place{files_.size() - 1, &tensor});
    if (!added)
      throw IoError(path.string() + ": tensor '" + tensor.name +
                    "' stands for the same weight as '" + at->second.tensor->name + "' in " +
                    file_of(name).string() +
                    " (which of the two is meant is not clear). Remove one of them");
  }
}

void Checkpoint::open_sharded(const std::filesystem::path& index) {
  const auto json = parse_json(read_text_file(index), index.string());
  const auto weight_map = read_weight_map(json, index);
  if (json.contains("metadata")) index_metadata_ = json["metadata"].dump();
  std::set<std::string> shards;
  for (const auto& [name, file] : weight_map) shards.insert(file);
  std::vector<std::string> problems;
  std::error_code ignored;  // a name too long for the file system is missing too
  for (const auto& shard : shards)
    if (!std::filesystem::exists(path_ / shard, ignored))
      problems.push_back("missing shard " + (path_ / shard).string());
  if (!problems.empty())
    throw all_of(index,
                 "names " + std::to_string(shards.size()) + " shards, of which " +
                     std::to_string(problems.size()) + " are missing (an incomplete download?)",
                 problems);
  files_.reserve(shards.size());
  for (const auto& shard : shards) add_file(path_ / shard);

  // metadata.total_size is not compared: transformers writes it without tied copies in some
  // versions, and every tensor is checked one by one anyway.
  for (const auto& [name, file] : weight_map) {
    const auto found = tensors_.find(canonical_tensor_name(name));
    if (found == tensors_.end() || found->second.tensor->name != name)
      problems.push_back("'" + name + "' is not in " + file + " as the index says");
    else if (files_[found->second.file].path().filename() != file)
      problems.push_back("'" + name + "' is in " +
                         files_[found->second.file].path().filename().string() + ", not in " +
                         file + " as the index says");
  }
  for (const auto& [name, place] : tensors_)
    if (!weight_map.contains(place.tensor->name))
      problems.push_back("'" + place.tensor->name + "' is in " +
                         files_[place.file].path().filename().string() + " but not in the index");
  if (!problems.empty()) throw all_of(index, "index and shards disagree", problems);
}

const Checkpoint::Place& Checkpoint::place(std::string_view name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end())
    throw IoError(path_.string() + ": has no tensor '" + std::string(name) + "' (it holds " +
                  std::to_string(tensors_.size()) +
                  " others). Check that the folder belongs to this model");
  return found->second;
}

const TensorView& Checkpoint::tensor(std::string_view name) const { return *place(name).tensor; }

const std::filesystem::path& Checkpoint::file_of(std::string_view name) const {
  return files_[place(name).file].path();
}

std::vector<std::string> Checkpoint::names() const {
  std::vector<std::string> all;
  for (const auto& [name, place] : tensors_) all.push_back(name);
  return all;
}

std::uint64_t Checkpoint::bytes() const {
  std::uint64_t sum = 0;
  for (const auto& [name, place] : tensors_) sum += place.tensor->data.size();
  return sum;
}

void Checkpoint::check(const std::vector<ExpectedTensor>& expected) const {
  std::vector<std::string> wrong_set, wrong_shape;
  std::set<std::string, std::less<>> names;
  for (const auto& [name, shape] : expected) {
    names.insert(name);
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) {
      wrong_set.push_back("missing: '" + name + "' " + to_text(shape) +
                          (name == "lm_head.weight" ? " (tie_word_embeddings is false)" : ""));
      continue;
    }
    const TensorView& tensor = *found->second.tensor;
    const std::string file = " in " + file_of(name).string();
    if (!is_floating(tensor.type))
      wrong_set.push_back("wrong type: '" + name + "' is " + std::string(name_of(tensor.type)) +
                          file + " (expected F32, BF16, F16 or F64)");
    if (tensor.shape != shape)
      wrong_shape.push_back("wrong shape: '" + name + "' has " + to_text(tensor.shape) + file +
                            " (expected " + to_text(shape) + ")");
  }
  for (const auto& [name, place] : tensors_)
    if (!names.contains(name) && name != "lm_head.weight")
      wrong_set.push_back("unexpected: '" + place.tensor->name + "' " +
                          to_text(place.tensor->shape) + " in " + file_of(name).string());
  if (wrong_set.empty() && wrong_shape.empty()) return;
  const bool only_shapes = wrong_set.empty();
  wrong_set.insert(wrong_set.end(), wrong_shape.begin(), wrong_shape.end());
  const IoError error = all_of(path_,
                               "the checkpoint does not fit the model's config.json in " +
                                   std::to_string(wrong_set.size()) +
                                   " tensors (no weight is ever left out "
                                   "or filled in). Use the config and weights of one model",
                               wrong_set);
  if (only_shapes) throw ShapeError(error.what());
  throw error;
}

}  // namespace vlmark::io
