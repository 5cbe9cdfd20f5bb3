#pragma once

// Private to the box: includes nlohmann_json.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

namespace vlmark::io {

/// Where the tables of a record lie in its file: {"/steps/loss": [first byte, bytes], ...}; those
/// that lie in no one piece are left out. Throws IoError.
nlohmann::json record_extents(const std::filesystem::path& record);

/// Names of the tables with a byte in [begin, end), "structure of the file" where there is none.
std::string tables_within(const nlohmann::json& extents, std::size_t begin, std::size_t end);

}  // namespace vlmark::io
