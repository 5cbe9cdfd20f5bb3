#include "src/app/text.hpp"

#include <fmt/format.h>

namespace vlmark::app {

std::string with_commas(double value) {
  std::string digits = fmt::format("{:.0f}", value);
  const std::size_t first = digits.starts_with('-') ? 1 : 0;
  for (std::size_t i = digits.size(); i > first + 3;) digits.insert(i -= 3, ",");
  return digits;
}

}  // namespace vlmark::app
