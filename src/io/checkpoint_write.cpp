#include <regex>
#include <set>

#include "src/base/error.hpp"
#include "src/io/checkpoint.hpp"
#include "src/io/json_text.hpp"

namespace vlmark::io {
namespace {

// transformers refuses a file without it.
const std::map<std::string, std::string> kMetadata = {{"format", "pt"}};

std::string shard_name(std::size_t shard, std::size_t shards) {
  char name[64];
  std::snprintf(name, sizeof name, "model-%05zu-of-%05zu.safetensors", shard + 1, shards);
  return name;
}

/// Fills shards in the order given.
std::vector<std::vector<TensorSource>> split(const std::vector<TensorSource>& tensors,
                                             std::uint64_t shard_bytes) {
  std::vector<std::vector<TensorSource>> shards(1);
  std::uint64_t filled = 0;
  for (const TensorSource& tensor : tensors) {
    if (!shards.back().empty() && filled + tensor.bytes() > shard_bytes) {
      shards.emplace_back();
      filled = 0;
    }
    shards.back().push_back(tensor);
    filled += tensor.bytes();
  }
  return shards;
}

/// Removes what an earlier checkpoint left in the folder, except `keep`.
void remove_others(const std::filesystem::path& folder, const std::set<std::string>& keep) {
  static const std::regex ours(
      R"(model\.safetensors(\.index\.json)?|model-\d{5}-of-\d{5}\.safetensors)");
  std::vector<std::filesystem::path> old;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto name = entry.path().filename().string();
    if (std::regex_match(name, ours) && !keep.contains(name)) old.push_back(entry.path());
  }
  for (const auto& file : old) std::filesystem::remove(file);
}

}  // namespace

void write_checkpoint(const std::filesystem::path& folder, const std::vector<TensorSource>& tensors,
                      std::uint64_t shard_bytes) {
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure)
    throw IoError(folder.string() + ": the checkpoint cannot be written there (" +
                  failure.message() + "). Choose another folder");
  auto shards = split(tensors, shard_bytes);
  if (shards.size() == 1) {
    write_safetensors(folder / "model.safetensors", std::move(shards[0]), kMetadata);
    return remove_others(folder, {"model.safetensors"});
  }

  nlohmann::json weight_map = nlohmann::json::object();
  std::uint64_t total = 0;
  std::set<std::string> written;
  for (std::size_t s = 0; s < shards.size(); ++s) {
    const auto name = shard_name(s, shards.size());
    for (const TensorSource& tensor : shards[s]) {
      if (weight_map.contains(tensor.name))
        throw ValueError(folder.string() + ": tensor '" + tensor.name +
                         "' is given twice (a reader finds tensors by their names). "
                         "Please report it");
      weight_map[tensor.name] = name;
      total += tensor.bytes();
    }
    write_safetensors(folder / name, std::move(shards[s]), kMetadata);
    written.insert(name);
  }
  remove_others(folder, written);
  const nlohmann::json index = {{"metadata", {{"total_size", total}}}, {"weight_map", weight_map}};
  write_text_file(folder / "model.safetensors.index.json", index.dump(2) + "\n");
}

}  // namespace vlmark::io
