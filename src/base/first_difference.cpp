#include "src/base/first_difference.hpp"

#include <sstream>

namespace vlmark {

std::pair<std::string, std::string> first_difference(const std::string& a, const std::string& b) {
  std::istringstream rest_a(a), rest_b(b);
  std::string line_a, line_b;
  while (line_a == line_b) {
    if (!std::getline(rest_a, line_a)) line_a = "nothing more";
    if (!std::getline(rest_b, line_b)) line_b = "nothing more";
  }
  return {line_a, line_b};
}

}  // namespace vlmark
