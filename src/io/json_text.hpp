#pragma once

// Private to the box: the only header here that includes nlohmann_json.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace vlmark::io {

/// Parses JSON, strictly: a key that stands twice in one object is an error too (which of the two
/// is meant is not clear, and parsers differ). `where` begins the text of the IoError.
nlohmann::json parse_json(std::string_view text, const std::string& where);

}  // namespace vlmark::io
