#include "src/base/contracts.hpp"

#include <stdexcept>

namespace vlmark::detail {

void contract_failed(const char* kind, const char* condition, const char* file, int line) {
  throw std::logic_error(std::string(file) + ":" + std::to_string(line) + ": " + kind +
                         " failed: " + condition + " (a defect of vlmark). Please report it");
}

}  // namespace vlmark::detail
