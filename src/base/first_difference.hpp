#pragma once

#include <string>
#include <utility>

namespace vlmark {

/// The first line in which two texts differ, as each has it ("nothing more" behind the end of one).
/// They must differ.
std::pair<std::string, std::string> first_difference(const std::string& a, const std::string& b);

}  // namespace vlmark
