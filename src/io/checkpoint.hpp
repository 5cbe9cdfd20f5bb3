#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "src/io/safetensors.hpp"

namespace vlmark::io {

/// Name of a logical tensor as the hub's original files write it, whatever version of transformers
/// saved the file: a leading `model.` before `visual.` or `language_model.` is dropped, then
/// `language_model.X` becomes `model.X`.
std::string canonical_tensor_name(std::string_view stored);

/// How a writer spells tensor names.
enum class TensorNames {
  original,  ///< visual.X, model.X: the hub, transformers up to 4.51
  nested,    ///< model.visual.X, model.language_model.X: later versions
  bare       ///< visual.X, language_model.X: the model class without its head
};

/// The inverse of canonical_tensor_name. Throws ValueError for a head among bare names.
std::string stored_tensor_name(std::string_view canonical, TensorNames names);

/// What a model needs of a checkpoint.
struct ExpectedTensor {
  std::string name;  ///< canonical
  std::vector<std::int64_t> shape;
};

/// A folder that holds a model: `model.safetensors`, or `model.safetensors.index.json` with its
/// shards. All files are mapped; nothing is read before a tensor is.
class Checkpoint {
 public:
  /// `folder` may also be a single .safetensors file. Throws IoError: no checkpoint, both forms at
  /// once, missing shards (all named), an index and shards that disagree, a malformed file, two
  /// tensors with one canonical name.
  explicit Checkpoint(const std::filesystem::path& folder);

  const std::filesystem::path& path() const { return path_; }
  /// Canonical names in alphabetical order.
  std::vector<std::string> names() const;
  bool contains(std::string_view name) const { return tensors_.contains(name); }
  /// By canonical name; throws IoError when absent.
  const TensorView& tensor(std::string_view name) const;
  /// File a tensor lies in, by canonical name.
  const std::filesystem::path& file_of(std::string_view name) const;
  /// Over all tensors.
  std::uint64_t bytes() const;
  const std::vector<SafetensorsFile>& files() const { return files_; }
  /// `metadata` of the index as JSON text, total_size included; empty where there is no index.
  const std::string& index_metadata() const { return index_metadata_; }

  /// Compares with what a model needs and names every missing, unexpected and wrongly shaped
  /// tensor at once, with both shapes and the file. A stored `lm_head.weight` that is not expected
  /// (tied to the embedding) is ignored: the embedding is the head then.
  /// Throws IoError when a tensor is missing, unexpected or not of a floating-point type,
  /// ShapeError when only shapes are wrong.
  void check(const std::vector<ExpectedTensor>& expected) const;

 private:
  struct Place {
    std::size_t file;
    const TensorView* tensor;
  };
  void add_file(const std::filesystem::path& path);
  void open_sharded(const std::filesystem::path& index);
  const Place& place(std::string_view name) const;

  std::filesystem::path path_;
  std::vector<SafetensorsFile> files_;
  std::map<std::string, Place, std::less<>> tensors_;  // by canonical name
  std::string index_metadata_;
};

}  // namespace vlmark::io
