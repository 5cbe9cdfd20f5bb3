#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "src/io/model_folder.hpp"

namespace vlmark::io {

/// What a conversion changes; what is not given stays as it is stored.
struct Conversion {
  std::optional<DType> type;  ///< fp32 or bf16
  std::optional<TensorNames> names;
  std::optional<std::uint64_t> shard_bytes;  ///< else the same files with the same tensors
};

/// Copies a model folder: weights in the new form, the other files of a model as they are (of
/// config.json the element type, where that changes). Bytes of a type that does not change are
/// copied, so a way there and back gives the files of the reference implementation byte for byte.
/// No more than a piece of one tensor is resident at a time.
///
/// Throws IoError: `to` holds anything, the checkpoint does not fit its config.json; ValueError: a
/// value that is not finite in the new type, a head among bare names; ConfigError as
/// read_hf_config.
void convert_model_folder(const std::filesystem::path& from, const std::filesystem::path& to,
                          const Conversion& conversion);

/// Throws IoError where `folder` exists and is no empty folder: nothing of another model may be
/// lost or mixed in.
void require_empty(const std::filesystem::path& folder);

}  // namespace vlmark::io
