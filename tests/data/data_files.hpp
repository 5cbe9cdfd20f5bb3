#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "src/data/image.hpp"

namespace vlmark::test {

/// The source tree (VLMARK_SOURCE_DIR, set by ctest).
std::filesystem::path source_dir();
/// Golden data: VLMARK_GOLDEN, or tests/golden of the source tree.
std::filesystem::path golden_dir();

/// A picture of independent uniform bytes; the same seed gives the same picture.
data::Image random_image(int width, int height, std::uint64_t seed);

std::vector<std::uint8_t> read_file(const std::filesystem::path& file);
void write_file(const std::filesystem::path& file, std::span<const std::uint8_t> bytes);

/// Rows of a comma-separated table without quoting, header left out.
std::vector<std::vector<std::string>> read_csv(const std::filesystem::path& file);

/// A folder of its own, removed with the object.
class ScratchDir {
 public:
  ScratchDir();
  ~ScratchDir();
  ScratchDir(const ScratchDir&) = delete;
  ScratchDir& operator=(const ScratchDir&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace vlmark::test
