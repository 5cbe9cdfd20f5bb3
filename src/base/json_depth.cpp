#include "src/base/json_depth.hpp"

#include "src/base/error.hpp"

namespace vlmark {
namespace {

/// Offset behind the string whose opening quotation mark stands before `at`.
std::size_t after_string(std::string_view text, std::size_t at) {
  while ((at = text.find_first_of("\"\\", at)) != text.npos) {
    if (text[at] == '"') return at + 1;
    at += 2;  // the mark behind a backslash ends nothing
  }
  return text.size();
}

}  // namespace

void require_json_depth(std::string_view text, const std::string& where) {
  int depth = 0;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at++];
    if (c == '"') at = after_string(text, at);
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (depth > kDeepestJson)
      throw IoError(where + ": is JSON nested more than " + std::to_string(kDeepestJson) +
                    " deep at byte " + std::to_string(at - 1) +
                    " (no file of this kind is). Correct the file, or fetch it again");
  }
}

}  // namespace vlmark
