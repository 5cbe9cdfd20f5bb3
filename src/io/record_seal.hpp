#pragma once

#include <cstddef>
#include <filesystem>

namespace vlmark::io {

/// Bytes before the HDF5 part of a record (HDF5's "user block", which every reader of the format
/// skips). They hold one line, the seal: length and CRC-32 of all that follows.
inline constexpr std::size_t kSealBytes = 512;

/// Writes the seal of a record that is complete and closed. Throws IoError.
void seal_record(const std::filesystem::path& record);

/// Throws IoError, with both seals, unless the record is as it was sealed. HDF5's own parser reads
/// and frees stray memory on some damaged files, so that only whole ones are given to it; and a
/// number that was edited after the run is no result. Cost: one pass over the file.
void require_seal(const std::filesystem::path& record);

}  // namespace vlmark::io
