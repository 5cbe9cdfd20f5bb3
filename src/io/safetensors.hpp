#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/io/file.hpp"
#include "src/io/tensor_type.hpp"

namespace vlmark::io {

/// A tensor of a mapped file: no copy, valid while the file object lives. The data need not be
/// aligned to the element (a foreign writer may not pad its header): read it through
/// tensor_values.hpp.
struct TensorView {
  std::string name;  ///< as stored
  TensorType type = TensorType::f32;
  std::vector<std::int64_t> shape;  ///< row-major; empty: a scalar
  std::span<const std::byte> data;  ///< little-endian

  std::size_t numel() const { return data.size() / size_of(type); }
};

/// "[2, 8]"
std::string to_text(std::span<const std::int64_t> shape);

/// A safetensors file, memory-mapped and checked as strictly as the reference implementation: u64
/// little-endian header length, JSON header {name: {dtype, shape, data_offsets}}, data. The
/// tensors must cover the data exactly, without overlap or hole.
/// Throws IoError that names the file, the tensor and both values.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return file_.path(); }
  /// In the order of their data.
  const std::vector<TensorView>& tensors() const { return tensors_; }
  /// Null when absent.
  const TensorView* find(std::string_view name) const;
  /// Throws IoError when absent.
  const TensorView& tensor(std::string_view name) const;
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  void parse_header(std::string_view header, std::span<const std::byte> data);
  void require_cover(std::span<const std::byte> data) const;

  MappedFile file_;
  std::vector<TensorView> tensors_;
  std::map<std::string, std::size_t, std::less<>> index_;
  std::map<std::string, std::string> metadata_;
};

/// A tensor to be written.
struct TensorSpec {
  std::string name;
  TensorType type = TensorType::f32;
  std::vector<std::int64_t> shape;

  std::uint64_t bytes() const;  ///< of the data
};

/// Writes a file that equals the reference implementation's byte for byte: tensors by descending
/// element size, then name; header padded with spaces to a multiple of 8. The data come in pieces,
/// in any order, so that no more than one piece need be in host memory. The file appears under its
/// name only when it is whole (OutputFile).
class SafetensorsWriter {
 public:
  /// Throws IoError; ValueError when a name occurs twice.
  SafetensorsWriter(const std::filesystem::path& path, std::vector<TensorSpec> tensors,
                    const std::map<std::string, std::string>& metadata = {});

  /// Bytes of a tensor's data from byte `first` on. Throws ValueError for a tensor that is not in
  /// the file or bytes beyond its end; IoError.
  void write(std::string_view name, std::uint64_t first, std::span<const std::byte> bytes);
  /// Throws ValueError that names a tensor that was not given whole; IoError.
  void commit();

 private:
  struct Place {
    std::uint64_t begin, bytes, written;
  };
  std::filesystem::path path_;
  OutputFile file_;
  std::map<std::string, Place, std::less<>> places_;
};

}  // namespace vlmark::io
