#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vlmark::config {

/// Insertions, deletions, substitutions and swaps of neighbours that turn a into b, case ignored
/// (optimal string alignment). Cost: O(|a| |b|).
int edit_distance(std::string_view a, std::string_view b);

/// The known `table.key` most likely meant by `key`: nearest as a whole, or nearest in its last
/// part, since a right key in a wrong table is a common slip. `known` must not be empty.
std::string nearest_key(std::string_view key, const std::vector<std::string>& known);

}  // namespace vlmark::config
