#pragma once

// Private to the box: the only header here that includes nlohmann_json.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace vlmark::io {

/// Parses JSON, strictly: a key that stands twice in one object is an error too (which of the two
/// is meant is not clear, and parsers differ), and so is nesting beyond kDeepestJson. `where` begins
/// the text of the IoError.
nlohmann::json parse_json(std::string_view text, const std::string& where);

/// A value for an error text, in ASCII and shortened: nobody reads a whole file there.
std::string shown(const nlohmann::json& value);

}  // namespace vlmark::io
