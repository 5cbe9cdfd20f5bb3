#include <algorithm>
#include <bit>

#include "src/base/error.hpp"
#include "src/io/json_text.hpp"
#include "src/io/safetensors.hpp"

namespace vlmark::io {

static_assert(std::endian::native == std::endian::little, "safetensors data are little-endian");

std::uint64_t TensorSource::bytes() const {
  std::uint64_t product = size_of(type);
  for (const std::int64_t extent : shape) product *= static_cast<std::uint64_t>(extent);
  return product;
}

TensorSource from_memory(std::string name, TensorType type, std::vector<std::int64_t> shape,
                         std::span<const std::byte> data) {
  return {std::move(name), type, std::move(shape), [data](const ByteSink& sink) { sink(data); }};
}

void write_safetensors(const std::filesystem::path& path, std::vector<TensorSource> tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::sort(tensors.begin(), tensors.end(), [](const TensorSource& a, const TensorSource& b) {
    return a.type != b.type ? a.type > b.type : a.name < b.name;
  });
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::uint64_t end = 0;
  for (const TensorSource& tensor : tensors) {
    if (header.contains(tensor.name) || tensor.name == "__metadata__")
      throw ValueError(
          path.string() + ": tensor '" + tensor.name +
          "' is given twice or has a reserved name (a reader finds tensors by their names). "
          "Please report it");
    const std::uint64_t begin = end;
    end += tensor.bytes();
    header[tensor.name] = {
        {"dtype", name_of(tensor.type)}, {"shape", tensor.shape}, {"data_offsets", {begin, end}}};
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // the data start aligned, as in the reference
  const std::uint64_t length = text.size();

  OutputFile file(path);
  file.write(std::as_bytes(std::span(&length, 1)));
  file.write(text);
  for (const TensorSource& tensor : tensors) {
    std::uint64_t written = 0;
    tensor.produce([&](std::span<const std::byte> piece) {
      file.write(piece);
      written += piece.size();
    });
    if (written != tensor.bytes())
      throw ValueError(path.string() + ": tensor '" + tensor.name + "' gave " +
                       std::to_string(written) + " bytes but " + std::string(name_of(tensor.type)) +
                       " " + to_text(tensor.shape) + " has " + std::to_string(tensor.bytes()) +
                       " (the file would be damaged). Please report it");
  }
  file.commit();
}

}  // namespace vlmark::io
