#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace vlmark::config {

/// Of a picture before it is resized.
struct PictureSize {
  int width = 0, height = 0;
  bool operator==(const PictureSize&) const = default;
};

/// "WIDTHxHEIGHT"; nothing where the text is no size.
std::optional<PictureSize> picture_size(std::string_view text);

/// The pictures of synthetic documents: document i takes group i modulo the number of groups.
/// Commas separate groups, a plus the pictures of one: "448x448, 1280x720+640x480, none". An empty
/// text or "none" is a group without pictures. Nothing where a part is no size.
std::optional<std::vector<std::vector<PictureSize>>> picture_groups(std::string_view text);

}  // namespace vlmark::config
