#include "src/config/edit_distance.hpp"

#include <algorithm>
#include <cctype>

#include "src/base/contracts.hpp"

namespace vlmark::config {
namespace {

bool same(char a, char b) {
  const auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  return lower(a) == lower(b);
}

std::string_view last_part(std::string_view key) { return key.substr(key.rfind('.') + 1); }

}  // namespace

int edit_distance(std::string_view a, std::string_view b) {
  const std::size_t columns = b.size() + 1;
  std::vector<int> two_up(columns), up(columns), row(columns);
  for (std::size_t j = 0; j < columns; ++j) row[j] = static_cast<int>(j);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::swap(two_up, up);
    std::swap(up, row);
    row[0] = static_cast<int>(i);
    for (std::size_t j = 1; j < columns; ++j) {
      row[j] = std::min({up[j] + 1, row[j - 1] + 1, up[j - 1] + !same(a[i - 1], b[j - 1])});
      if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
        row[j] = std::min(row[j], two_up[j - 2] + 1);
    }
  }
  return row.back();
}

std::string nearest_key(std::string_view key, const std::vector<std::string>& known) {
  expects(!known.empty());
  const auto cost = [key](const std::string& candidate) {
    const int whole = edit_distance(key, candidate);
    // One more, so that among equals the key of the same table wins.
    return std::min(whole, 1 + edit_distance(last_part(key), last_part(candidate)));
  };
  return *std::min_element(known.begin(), known.end(),
                           [&](const auto& a, const auto& b) { return cost(a) < cost(b); });
}

}  // namespace vlmark::config
