#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "src/data/image.hpp"

namespace vlmark::data {

/// One picture of a captioned data set; the pixels stay on disk.
struct CaptionedPicture {
  std::filesystem::path file;  ///< folder included
  std::string caption;
  std::string rgb_sha256;  ///< of the decoded RGB bytes, lower case; empty: not checked
};

/// Reads `folder`/captions.json: a list of objects with `file` (relative to the folder), `caption`
/// and, optionally, `rgb_sha256`; other keys are ignored. Opens no picture.
/// Throws IoError that names file, entry and key for anything missing, empty or of another type.
std::vector<CaptionedPicture> read_captions(const std::filesystem::path& folder);

/// Decodes the picture of an entry. Throws IoError where it cannot be decoded, or where its SHA-256
/// is not the recorded one (a decoder with another DCT trains on other pixels).
Image read_picture(const CaptionedPicture& entry);

}  // namespace vlmark::data
