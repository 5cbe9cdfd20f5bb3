#include <algorithm>
#include <bit>

#include "src/base/error.hpp"
#include "src/io/json_text.hpp"
#include "src/io/safetensors.hpp"

namespace vlmark::io {

static_assert(std::endian::native == std::endian::little, "safetensors data are little-endian");

std::uint64_t TensorSpec::bytes() const {
  std::uint64_t product = size_of(type);
  for (const std::int64_t extent : shape) product *= static_cast<std::uint64_t>(extent);
  return product;
}

SafetensorsWriter::SafetensorsWriter(const std::filesystem::path& path,
                                     std::vector<TensorSpec> tensors,
                                     const std::map<std::string, std::string>& metadata)
    : path_(path), file_(path) {
  std::sort(tensors.begin(), tensors.end(), [](const TensorSpec& a, const TensorSpec& b) {
    return a.type != b.type ? a.type > b.type : a.name < b.name;
  });
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::uint64_t end = 0;
  for (const TensorSpec& tensor : tensors) {
    const Place place{end, tensor.bytes(), 0};
    if (!places_.try_emplace(tensor.name, place).second || tensor.name == "__metadata__")
      throw ValueError(path.string() + ": tensor '" + tensor.name +
                       "' is given twice or has a reserved name (a reader finds tensors by their "
                       "names). Please report it");
    end += place.bytes;
    header[tensor.name] = {{"dtype", name_of(tensor.type)},
                           {"shape", tensor.shape},
                           {"data_offsets", {place.begin, end}}};
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // the data start aligned, as in the reference
  const std::uint64_t length = text.size();
  file_.write(std::as_bytes(std::span(&length, 1)));
  file_.write(text);
  for (auto& [name, place] : places_) place.begin += sizeof length + length;
}

void SafetensorsWriter::write(std::string_view name, std::uint64_t first,
                              std::span<const std::byte> bytes) {
  const auto found = places_.find(name);
  if (found == places_.end())
    throw ValueError(path_.string() + ": tensor '" + std::string(name) +
                     "' is not of this file (its header is written). Please report it");
  Place& place = found->second;
  if (first > place.bytes || bytes.size() > place.bytes - first)
    throw ValueError(path_.string() + ": tensor '" + std::string(name) + "' got bytes [" +
                     std::to_string(first) + ", " + std::to_string(first + bytes.size()) +
                     ") but has " + std::to_string(place.bytes) +
                     " (the next one would be damaged). Please report it");
  file_.write_at(place.begin + first, bytes);
  place.written += bytes.size();
}

void SafetensorsWriter::commit() {
  for (const auto& [name, place] : places_)
    if (place.written != place.bytes)
      throw ValueError(path_.string() + ": tensor '" + name + "' got " +
                       std::to_string(place.written) + " bytes but has " +
                       std::to_string(place.bytes) +
                       " (the file would be damaged). Please report it");
  file_.commit();
}

}  // namespace vlmark::io
