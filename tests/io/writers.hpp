#pragma once

#include <map>
#include <string>
#include <vector>

#include "src/io/checkpoint_writer.hpp"

namespace vlmark::test {

inline std::vector<io::TensorSpec> specs_of(const std::vector<io::TensorView>& tensors) {
  std::vector<io::TensorSpec> specs;
  for (const auto& tensor : tensors) specs.push_back({tensor.name, tensor.type, tensor.shape});
  return specs;
}

/// Writes whole tensors.
inline void write_safetensors(const std::filesystem::path& path,
                              const std::vector<io::TensorView>& tensors,
                              const std::map<std::string, std::string>& metadata = {}) {
  io::SafetensorsWriter writer(path, specs_of(tensors), metadata);
  for (const auto& tensor : tensors) writer.write(tensor.name, 0, tensor.data);
  writer.commit();
}
inline void write_checkpoint(const std::filesystem::path& folder,
                             const std::vector<io::TensorView>& tensors,
                             std::uint64_t shard_bytes = io::default_shard_bytes) {
  io::CheckpointWriter writer(folder, io::make_shards(specs_of(tensors), shard_bytes));
  for (const auto& tensor : tensors) writer.write(tensor.name, 0, tensor.data);
  writer.commit();
}

}  // namespace vlmark::test
