#pragma once

#include <string>
#include <string_view>

namespace vlmark {

/// Deepest nesting of objects and arrays a JSON file may have: those that are read have five.
inline constexpr int kDeepestJson = 64;

/// Throws IoError, begun by `where`, for a JSON text that nests deeper: comparing, printing and
/// freeing such values calls itself once per level and would run out of stack. Looks at brackets
/// outside strings only, so that a text that is no JSON may pass. Cost: one pass over the bytes.
void require_json_depth(std::string_view text, const std::string& where);

}  // namespace vlmark
