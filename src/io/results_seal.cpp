#include "src/io/results_seal.hpp"

#include <zlib.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "src/base/error.hpp"
#include "src/base/sha256.hpp"
#include "src/io/file.hpp"
#include "src/io/record_extents.hpp"

namespace vlmark::io {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kBlocks = "blocks.json";
constexpr const char* kManifest = "manifest.sha256";

std::vector<std::string> files_of(const fs::path& folder) {
  std::vector<std::string> names;
  for (auto at = fs::recursive_directory_iterator(folder); at != fs::recursive_directory_iterator();
       ++at) {
    if (at.depth() == 0 && at->path().filename() == "model") at.disable_recursion_pending();
    if (at->is_regular_file()) names.push_back(fs::relative(at->path(), folder).generic_string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::span<const std::uint8_t> bytes_of(const MappedFile& file) {
  return {reinterpret_cast<const std::uint8_t*>(file.bytes().data()), file.bytes().size()};
}

std::vector<std::uint32_t> checksums(std::span<const std::uint8_t> bytes) {
  std::vector<std::uint32_t> blocks;
  for (std::size_t at = 0; at < bytes.size(); at += kSealBlock)
    blocks.push_back(static_cast<std::uint32_t>(
        ::crc32_z(0, bytes.data() + at, std::min(kSealBlock, bytes.size() - at))));
  return blocks;
}

/// "bytes 4096 to 8191 (/steps/loss, /steps/step)" of every run of blocks that differ.
std::string places(const fs::path& path, const std::string& name,
                   std::span<const std::uint8_t> bytes, const json& sealed) {
  const auto blocks = sealed.at("crc32").get<std::vector<std::uint32_t>>();
  const std::vector<std::uint32_t> now = checksums(bytes);
  const auto size = sealed.at("bytes").get<std::size_t>();
  std::string text;
  if (size != bytes.size())
    text =
        "has " + std::to_string(bytes.size()) + " bytes (sealed were " + std::to_string(size) + ")";
  const std::size_t count = std::min(blocks.size(), now.size());
  for (std::size_t i = 0; i < count; ++i) {
    if (blocks[i] == now[i]) continue;
    const std::size_t first = i;
    while (i + 1 < count && blocks[i + 1] != now[i + 1]) ++i;
    const std::size_t begin = first * kSealBlock,
                      end = std::min((i + 1) * kSealBlock, bytes.size());
    text += (text.empty() ? "was changed in bytes " : ", ") + std::to_string(begin) + " to " +
            std::to_string(end - 1);
    if (name != "samples.h5") continue;
    const std::string tables = tables_within(sealed.at("tables"), begin, end);
    if (!tables.empty()) text += " (" + tables + ")";
  }
  return path.string() + ": " + (text.empty() ? "was changed" : text);
}

}  // namespace

void seal_results(const fs::path& folder) {
  for (const char* old : {kBlocks, kManifest}) fs::remove(folder / old);
  json blocks = json::object();
  std::string manifest;
  for (const std::string& name : files_of(folder)) {
    const MappedFile file(folder / name);
    blocks[name] = {{"bytes", file.bytes().size()}, {"crc32", checksums(bytes_of(file))}};
    if (name == "samples.h5") blocks[name]["tables"] = record_extents(folder / name);
    manifest += sha256_hex(bytes_of(file)) + "  " + name + "\n";
  }
  write_text_file(folder / kBlocks, blocks.dump() + "\n");
  manifest += sha256_hex(bytes_of(MappedFile(folder / kBlocks))) + "  " + kBlocks + "\n";
  write_text_file(folder / kManifest, manifest);
}

std::vector<std::string> broken_seals(const fs::path& folder) {
  if (!fs::exists(folder / kManifest))
    throw IoError(folder.string() + ": holds no " + kManifest +
                  " (the run did not end, or its seal was taken away). Give the folder of a run "
                  "that ended");
  std::map<std::string, std::string> sealed;
  std::istringstream lines(read_text_file(folder / kManifest));
  std::vector<std::string> broken;
  for (std::string line; std::getline(lines, line);) {
    if (line.size() < 67 || line.compare(64, 2, "  ") != 0) {
      broken.push_back((folder / kManifest).string() + ": has the line '" + line +
                       "', which is no line of a seal");
      continue;
    }
    sealed[line.substr(66)] = line.substr(0, 64);
  }
  json blocks;
  try {
    blocks = json::parse(read_text_file(folder / kBlocks));
  } catch (const std::exception&) {
    broken.push_back((folder / kBlocks).string() + ": cannot be read");
  }
  for (const std::string& name : files_of(folder)) {
    if (name == kManifest) continue;
    const auto at = sealed.find(name);
    if (at == sealed.end()) {
      broken.push_back((folder / name).string() +
                       ": was not there when the run ended, or its line in " + kManifest +
                       " was changed");
      continue;
    }
    const MappedFile file(folder / name);
    const std::string now = sha256_hex(bytes_of(file));
    if (now != at->second) {
      const bool known = name != kBlocks && blocks.is_object() && blocks.contains(name);
      const bool same_blocks = known && blocks[name]["bytes"] == file.bytes().size() &&
                               blocks[name]["crc32"] == checksums(bytes_of(file));
      if (same_blocks)
        broken.push_back((folder / kManifest).string() + ": the line of " + name +
                         " was changed (the file is as " + kBlocks + " has it)");
      else if (known)
        broken.push_back(places(folder / name, name, bytes_of(file), blocks[name]));
      else
        broken.push_back((folder / name).string() + ": was changed, or its line in " + kManifest);
    }
    sealed.erase(at);
  }
  for (const auto& [name, hash] : sealed)
    broken.push_back((folder / name).string() +
                     ": was there when the run ended and is not now, or its line in " + kManifest +
                     " was changed");
  return broken;
}

}  // namespace vlmark::io
