#include "src/doctor/files.hpp"

#include <fmt/format.h>

#include <fstream>

namespace vlmark::doctor {

std::string first_line(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

std::string gigabytes(double bytes) { return fmt::format("{:.1f} GB", bytes * 1e-9); }

}  // namespace vlmark::doctor
