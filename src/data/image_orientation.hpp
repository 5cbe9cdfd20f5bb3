#pragma once

#include <string>

#include "src/data/image.hpp"

namespace vlmark::data {

/// What a file says besides its pixels about which side is up.
struct Metadata {
  std::vector<std::uint8_t> exif = {};  ///< a TIFF file, after any number of "Exif\0\0"
  std::string xmp = {};                 ///< XML text
};

/// The orientation from 1 (upright) to 8 of EXIF 2.3, table 4.6.4-A (tag 0x0112); read from `exif`,
/// and from `xmp` (tiff:Orientation) where EXIF does not name it. 1 where neither does or the value
/// is another one. Tags behind a damaged one are not read. As Pillow's `Image.getexif`.
///
/// Throws IoError, which calls the picture `name`, where `exif` is not TIFF.
int orientation_of(const Metadata& metadata, const std::string& name);

/// The picture as it is to be seen, if it was stored in this orientation; any value but 2 to 8
/// leaves it as it is. As Pillow's `ImageOps.exif_transpose`.
Image turn_upright(Image image, int orientation);

}  // namespace vlmark::data
