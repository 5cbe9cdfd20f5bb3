#include "src/io/checkpoint_writer.hpp"

#include <cstdio>
#include <regex>
#include <set>

#include "src/base/error.hpp"
#include "src/io/json_text.hpp"

namespace vlmark::io {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSingle = "model.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";

[[noreturn]] void not_writable(const fs::path& folder, const std::error_code& failure) {
  throw IoError(folder.string() + ": the checkpoint cannot be written there (" + failure.message() +
                "). Choose another folder");
}

std::uint64_t data_bytes(const Shard& shard) {
  std::uint64_t sum = 0;
  for (const TensorSpec& tensor : shard.tensors) sum += tensor.bytes();
  return sum;
}

std::string shard_name(std::size_t shard, std::size_t shards) {
  if (shards == 1) return kSingle;
  char name[64];
  std::snprintf(name, sizeof name, "model-%05zu-of-%05zu.safetensors", shard + 1, shards);
  return name;
}

/// Removes what an earlier checkpoint left in the folder, except `keep`.
void remove_others(const fs::path& folder, const std::set<std::string>& keep) {
  static const std::regex ours(
      R"(model\.safetensors(\.index\.json)?|model-\d{5}-of-\d{5}\.safetensors)");
  std::vector<fs::path> old;
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(folder, failure)) {
    const auto name = entry.path().filename().string();
    if (std::regex_match(name, ours) && !keep.contains(name)) old.push_back(entry.path());
  }
  for (const auto& file : old)
    if (!failure) fs::remove(file, failure);
  if (failure) not_writable(folder, failure);
}

}  // namespace

std::vector<Shard> make_shards(const std::vector<TensorSpec>& tensors, std::uint64_t shard_bytes) {
  // transformers refuses a file without it.
  const Shard empty{"", {}, {{"format", "pt"}}};
  std::vector<Shard> shards(1, empty);
  std::uint64_t filled = 0;
  for (const TensorSpec& tensor : tensors) {
    const std::uint64_t bytes = tensor.bytes();
    if (!shards.back().tensors.empty() && (filled > shard_bytes || bytes > shard_bytes - filled)) {
      shards.push_back(empty);
      filled = 0;
    }
    shards.back().tensors.push_back(tensor);
    filled += bytes;
  }
  for (std::size_t s = 0; s < shards.size(); ++s) shards[s].file = shard_name(s, shards.size());
  return shards;
}

CheckpointWriter::CheckpointWriter(const fs::path& folder, std::vector<Shard> shards,
                                   std::string index_metadata)
    : folder_(folder), shards_(std::move(shards)), index_metadata_(std::move(index_metadata)) {
  std::error_code failure;
  fs::create_directories(folder, failure);
  if (!failure) fs::remove(folder / kIndex, failure);
  if (failure) not_writable(folder, failure);
  for (std::size_t s = 0; s < shards_.size(); ++s) {
    progress_.push_back({nullptr, data_bytes(shards_[s])});
    for (const TensorSpec& tensor : shards_[s].tensors)
      if (!shard_of_.try_emplace(tensor.name, s).second)
        throw ValueError(folder.string() + ": tensor '" + tensor.name +
                         "' is given twice (a reader finds tensors by their names). Please report "
                         "it");
  }
}

void CheckpointWriter::open(std::size_t shard) {
  const Shard& s = shards_[shard];
  progress_[shard].writer =
      std::make_unique<SafetensorsWriter>(folder_ / s.file, s.tensors, s.metadata);
}

void CheckpointWriter::close(std::size_t shard) {
  progress_[shard].writer->commit();
  progress_[shard].writer.reset();
}

void CheckpointWriter::write(std::string_view name, std::uint64_t first,
                             std::span<const std::byte> bytes) {
  const auto found = shard_of_.find(name);
  if (found == shard_of_.end())
    throw ValueError(folder_.string() + ": tensor '" + std::string(name) +
                     "' is not of this checkpoint (its shards are laid out). Please report it");
  const std::size_t shard = found->second;
  Progress& progress = progress_[shard];
  if (bytes.empty()) return;
  if (progress.missing < bytes.size())
    throw ValueError(folder_.string() + ": tensor '" + std::string(name) +
                     "' got more bytes than its shard has room for (it is whole already). Please "
                     "report it");
  if (!progress.writer) open(shard);
  progress.writer->write(name, first, bytes);
  progress.missing -= bytes.size();
  if (progress.missing == 0) close(shard);
}

void CheckpointWriter::commit() {
  std::set<std::string> written;
  for (std::size_t s = 0; s < shards_.size(); ++s) {
    if (data_bytes(shards_[s]) == 0 || progress_[s].missing > 0) {
      if (!progress_[s].writer) open(s);  // commits an empty shard, names what another one lacks
      close(s);
    }
    written.insert(shards_[s].file);
  }
  remove_others(folder_, written);
  if (shards_.size() > 1 || shards_[0].file != kSingle) write_index();
}

void CheckpointWriter::write_index() const {
  nlohmann::json weight_map = nlohmann::json::object();
  std::uint64_t total = 0;
  for (const Shard& shard : shards_) {
    for (const TensorSpec& tensor : shard.tensors) weight_map[tensor.name] = shard.file;
    total += data_bytes(shard);
  }
  const nlohmann::json metadata = index_metadata_.empty()
                                      ? nlohmann::json{{"total_size", total}}
                                      : parse_json(index_metadata_, (folder_ / kIndex).string());
  const nlohmann::json index = {{"metadata", metadata}, {"weight_map", weight_map}};
  write_text_file(folder_ / kIndex, index.dump(2) + "\n");
}

}  // namespace vlmark::io
