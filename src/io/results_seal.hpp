#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace vlmark::io {

/// Bytes of a block whose checksum is kept, so that damage can be told from the rest of its file.
inline constexpr std::size_t kSealBlock = 4096;

/// Writes over every file of a results folder but an exported model (`model/`):
///
/// | file              | content                                                              |
/// |-------------------|----------------------------------------------------------------------|
/// | `blocks.json`     | of each file its bytes, and the CRC-32 of each block                 |
/// | `manifest.sha256` | SHA-256 of each file, that one included, as `sha256sum -c` reads them |
///
/// The last thing a run does. Throws IoError.
void seal_results(const std::filesystem::path& folder);

/// What differs from the seal, one text each, with the file, its bytes and, in `samples.h5`, the
/// table they lie in: files that were changed, cut, taken away or added. Empty: nothing. Throws
/// IoError where the folder holds no seal, or one that no run has written.
std::vector<std::string> broken_seals(const std::filesystem::path& folder);

}  // namespace vlmark::io
