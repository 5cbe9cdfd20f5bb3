#pragma once

#include <string>

namespace vlmark::app {

/// 12345.6 -> "12,346".
std::string with_commas(double value);

}  // namespace vlmark::app
