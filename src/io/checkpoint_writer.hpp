#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/io/safetensors.hpp"

namespace vlmark::io {

/// One file of a checkpoint that is to be written.
struct Shard {
  std::string file;  ///< name within the folder
  std::vector<TensorSpec> tensors;
  std::map<std::string, std::string> metadata;
};

/// Bytes of a shard that transformers does not exceed unless it is told to.
inline constexpr std::uint64_t default_shard_bytes = 5'000'000'000;

/// Divides tensors as transformers does: one `model.safetensors` where they fit, else files
/// `model-00001-of-0000N.safetensors` of at most `shard_bytes` bytes of data, filled in the order
/// given (one larger tensor makes a shard of its own).
std::vector<Shard> make_shards(const std::vector<TensorSpec>& tensors,
                               std::uint64_t shard_bytes = default_shard_bytes);

/// Writes a checkpoint piece by piece. A shard is on disk under its name once its last byte is
/// written, so pieces that come shard by shard keep one file open. The index comes last, where the
/// one file is not `model.safetensors`; an earlier index goes first, so that a folder that is half
/// written holds no checkpoint, and the other files of an earlier checkpoint go at the end.
class CheckpointWriter {
 public:
  /// `index_metadata`: JSON text of the index's `metadata`; empty: total_size alone.
  /// Throws IoError; ValueError when a name occurs twice.
  CheckpointWriter(const std::filesystem::path& folder, std::vector<Shard> shards,
                   std::string index_metadata = "");

  /// Bytes of a tensor's data from byte `first` on. Throws as SafetensorsWriter::write.
  void write(std::string_view name, std::uint64_t first, std::span<const std::byte> bytes);
  /// Throws ValueError that names a tensor that was not given whole; IoError.
  void commit();

 private:
  struct Progress {
    std::unique_ptr<SafetensorsWriter> writer;  // null before the first and after the last byte
    std::uint64_t missing = 0;
  };
  void open(std::size_t shard);
  void close(std::size_t shard);
  void write_index() const;

  std::filesystem::path folder_;
  std::vector<Shard> shards_;
  std::string index_metadata_;
  std::vector<Progress> progress_;
  std::map<std::string, std::size_t, std::less<>> shard_of_;
};

}  // namespace vlmark::io
