#include "src/config/pictures.hpp"

#include <algorithm>
#include <charconv>

namespace vlmark::config {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::vector<std::string_view> parts_of(std::string_view text, char between) {
  std::vector<std::string_view> parts;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find(between, start), text.size());
    parts.push_back(trimmed(text.substr(start, end - start)));
    start = end + 1;
  }
  return parts;
}

std::optional<int> side(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc{} && end == text.data() + text.size() && value >= 1;
  return whole ? std::optional(value) : std::nullopt;
}

}  // namespace

std::optional<PictureSize> picture_size(std::string_view text) {
  const std::size_t cross = text.find('x');
  if (cross == std::string_view::npos) return std::nullopt;
  const auto width = side(text.substr(0, cross)), height = side(text.substr(cross + 1));
  if (!width || !height) return std::nullopt;
  return PictureSize{*width, *height};
}

std::optional<std::vector<std::vector<PictureSize>>> picture_groups(std::string_view text) {
  std::vector<std::vector<PictureSize>> groups;
  for (const std::string_view group : parts_of(text, ',')) {
    groups.emplace_back();
    if (group == "none" || (group.empty() && trimmed(text).empty())) continue;
    for (const std::string_view part : parts_of(group, '+')) {
      const auto size = picture_size(part);
      if (!size) return std::nullopt;
      groups.back().push_back(*size);
    }
  }
  return groups;
}

}  // namespace vlmark::config
