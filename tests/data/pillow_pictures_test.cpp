#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "src/base/error.hpp"
#include "src/data/image.hpp"
#include "tests/data/data_files.hpp"

namespace vlmark::test {
namespace {

std::filesystem::path folder() { return source_dir() / "tests" / "data" / "pictures"; }

int largest_difference(const std::vector<std::uint8_t>& a, const std::uint8_t* b) {
  int largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

TEST(PillowPictures, EveryKindHasPillowsSizeAndPixels) {
  const auto rows = read_csv(folder() / "pictures.csv");
  const auto expected = read_file(folder() / "expected.rgb");
  EXPECT_GE(rows.size(), 50u);
  std::size_t offset = 0;
  for (const auto& row : rows) {
    SCOPED_TRACE(testing::PrintToString(row));
    ASSERT_EQ(row.size(), 4u);
    const data::Image image = data::read_image(folder() / row[0]);
    ASSERT_EQ(image.width, std::stoi(row[1]));
    ASSERT_EQ(image.height, std::stoi(row[2]));
    ASSERT_EQ(image.rgb.size(), std::size_t{3} * image.width * image.height);
    ASSERT_LE(offset + image.rgb.size(), expected.size());
    EXPECT_LE(largest_difference(image.rgb, expected.data() + offset), std::stoi(row[3]));
    offset += image.rgb.size();
  }
  EXPECT_EQ(offset, expected.size());
}

TEST(PillowPictures, EveryFileOfTheFolderIsListed) {
  const auto rows = read_csv(folder() / "pictures.csv");
  std::vector<std::string> others = {"README.md", "expected.rgb", "pictures.csv"};
  for (const auto& row : rows) others.push_back(row.at(0));
  std::sort(others.begin(), others.end());
  std::vector<std::string> found;
  for (const auto& file : std::filesystem::directory_iterator(folder())) {
    found.push_back(file.path().filename().string());
  }
  std::sort(found.begin(), found.end());
  EXPECT_EQ(found, others);
}

/// Whatever is cut off, no file is taken for whole; what follows the end is not read.
TEST(PillowPictures, EveryFileCutShortIsRefused) {
  for (const auto& row : read_csv(folder() / "pictures.csv")) {
    SCOPED_TRACE(row.at(0));
    if (row[0] == "two_pictures.jpg") continue;  // the cut may lie behind the first one
    auto bytes = read_file(folder() / row[0]);
    for (const std::size_t size : {bytes.size() - 1, bytes.size() - 5, bytes.size() / 2,
                                   std::size_t{40}, std::size_t{11}, std::size_t{1}}) {
      EXPECT_THROW(data::decode_image({bytes.data(), size}, "cut"), IoError) << size;
    }
    const data::Image image = data::decode_image(bytes, "whole");
    bytes.insert(bytes.end(), {0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
    EXPECT_TRUE(data::decode_image(bytes, "followed by other bytes") == image);
  }
}

TEST(PillowPictures, AChangedByteNeverCrashes) {
  for (const auto& row : read_csv(folder() / "pictures.csv")) {
    const auto bytes = read_file(folder() / row.at(0));
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      auto changed = bytes;
      changed[i] = static_cast<std::uint8_t>(changed[i] ^ (1 + i * 37 % 255));
      try {
        const data::Image image = data::decode_image(changed, row[0], 1 << 20);
        EXPECT_EQ(image.rgb.size(), std::size_t{3} * image.width * image.height) << row[0];
      } catch (const IoError&) {
      }
    }
  }
}

}  // namespace
}  // namespace vlmark::test
