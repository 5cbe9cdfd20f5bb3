#include "src/base/error.hpp"

#include <algorithm>

namespace vlmark {
namespace {

std::string bracketed(std::initializer_list<long> extents) {
  std::string text = "[";
  for (const long extent : extents) {
    if (text.size() > 1) text += ", ";
    text += std::to_string(extent);
  }
  return text + "]";
}

}  // namespace

void require_extents(std::string_view where, std::string_view name,
                     std::initializer_list<long> actual, std::initializer_list<long> expected) {
  if (std::equal(actual.begin(), actual.end(), expected.begin(), expected.end())) return;
  throw ShapeError(std::string(where) + ": argument '" + std::string(name) + "' has shape " +
                   bracketed(actual) + " (expected " + bracketed(expected) + "). Make them equal");
}

}  // namespace vlmark
