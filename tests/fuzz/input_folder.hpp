#pragma once

#include <filesystem>
#include <string>

#include "tests/fuzz/bounded.hpp"

namespace vlmark::fuzz {

/// A folder for readers that want a file: made at the first use, in memory where the system has
/// such a place, removed when the program ends in order.
const std::filesystem::path& input_folder();

/// Writes `bytes` as a file of that folder and returns its path.
std::filesystem::path write_input(const std::string& name, Bytes bytes);

}  // namespace vlmark::fuzz
