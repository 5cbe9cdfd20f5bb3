#include "tests/data/data_files.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "tests/support/random_data.hpp"

namespace vlmark::test {
namespace {

std::filesystem::path folder_of(const char* variable) {
  const char* value = std::getenv(variable);
  return value == nullptr ? std::filesystem::path() : std::filesystem::path(value);
}

}  // namespace

std::filesystem::path source_dir() {
  const std::filesystem::path folder = folder_of("VLMARK_SOURCE_DIR");
  if (folder.empty()) throw std::runtime_error("VLMARK_SOURCE_DIR is not set. Run under ctest");
  return folder;
}

std::filesystem::path golden_dir() {
  const std::filesystem::path folder = folder_of("VLMARK_GOLDEN");
  return folder.empty() ? source_dir() / "tests" / "golden" : folder;
}

data::Image random_image(int width, int height, std::uint64_t seed) {
  data::Image image{width, height, {}};
  for (const int value : integers(std::size_t{3} * width * height, seed, 256)) {
    image.rgb.push_back(static_cast<std::uint8_t>(value));
  }
  return image;
}

std::vector<std::uint8_t> read_file(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw std::runtime_error("cannot open " + file.string());
  return {std::istreambuf_iterator<char>(stream), {}};
}

void write_file(const std::filesystem::path& file, std::span<const std::uint8_t> bytes) {
  std::ofstream stream(file, std::ios::binary);
  stream.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  stream.close();
  if (!stream) throw std::runtime_error("cannot write " + file.string());
}

std::vector<std::vector<std::string>> read_csv(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::vector<std::vector<std::string>> rows;
  std::string line;
  while (std::getline(stream, line)) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    std::istringstream text(line + ",");
    std::vector<std::string> row;
    for (std::string cell; std::getline(text, cell, ',');) row.push_back(cell);
    rows.push_back(row);
  }
  if (rows.size() < 2) throw std::runtime_error(file.string() + " is missing or has no rows");
  rows.erase(rows.begin());
  return rows;
}

ScratchDir::ScratchDir() {
  std::string pattern = (std::filesystem::temp_directory_path() / "vlmark-test-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot create " + pattern);
  path_ = pattern;
}

ScratchDir::~ScratchDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace vlmark::test
