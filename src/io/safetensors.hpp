#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
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

/// Receives the bytes of a tensor piece by piece.
using ByteSink = std::function<void(std::span<const std::byte>)>;

/// A tensor to be written. `produce` is called once, when its turn comes, so that no more than one
/// piece of a checkpoint need be in host memory.
struct TensorSource {
  std::string name;
  TensorType type = TensorType::f32;
  std::vector<std::int64_t> shape;
  std::function<void(const ByteSink&)> produce;

  std::uint64_t bytes() const;  ///< of the data
};

/// A source that holds a reference to `data`, which must outlive the write.
TensorSource from_memory(std::string name, TensorType type, std::vector<std::int64_t> shape,
                         std::span<const std::byte> data);

/// Writes a file that equals the reference implementation's byte for byte: tensors by descending
/// element size, then name; header padded with spaces to a multiple of 8. The file appears under
/// its name only when it is whole (OutputFile).
/// Throws IoError; ValueError when a name occurs twice or a source gives more or fewer bytes than
/// its shape.
void write_safetensors(const std::filesystem::path& path, std::vector<TensorSource> tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace vlmark::io
