#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "src/base/error.hpp"
#include "src/base/sha256.hpp"
#include "src/data/image.hpp"
#include "src/data/patches.hpp"
#include "src/data/resize.hpp"
#include "src/data/smart_resize.hpp"
#include "src/data/video_frames.hpp"
#include "tests/data/data_files.hpp"

namespace vlmark::test {
namespace {

using Json = nlohmann::json;

std::filesystem::path folder() { return golden_dir() / "preprocess"; }

/// One row of preprocess.json: the whole way from the file to the encoder's input.
class PreprocessEntry : public testing::Test {
 public:
  explicit PreprocessEntry(Json entry) : entry_(std::move(entry)) {}

  void TestBody() override {
    const data::Image image = data::read_image(folder() / file());
    if (entry_.contains("error")) {
      EXPECT_THROW(data::smart_resize(image.height, image.width, limits()), ValueError);
      return;
    }
    const data::ImageSize size = data::smart_resize(image.height, image.width, limits());
    ASSERT_EQ(entry_.at("resized_hw"), (std::vector<int>{size.height, size.width}));
    const data::Image resized = data::resize_bicubic(image, size.width, size.height);
    EXPECT_EQ(sha256_hex(resized.rgb), entry_.at("resized_rgb_sha256").get<std::string>());
    expect_patches(data::preprocess({&image, 1}, limits(), plan::VisionConfig{}));
  }

 private:
  std::string file() const { return entry_.at("file").get<std::string>(); }
  data::PixelLimits limits() const {
    return {entry_.at("min_pixels").get<double>(), entry_.at("max_pixels").get<double>()};
  }

  void expect_patches(const data::PatchMatrix& patches) const {
    const plan::Grid& grid = patches.grid;
    EXPECT_EQ(entry_.at("grid_thw"), (std::vector<int>{grid.t, grid.h, grid.w}));
    const auto index = entry_.at("pixel_values_index").get<std::vector<std::size_t>>();
    const auto expected = entry_.at("pixel_values").get<std::vector<double>>();
    ASSERT_EQ(index.size(), expected.size());
    ASSERT_FALSE(index.empty());
    for (std::size_t i = 0; i < index.size(); ++i) {
      ASSERT_LT(index[i], patches.values.size());
      EXPECT_NEAR(patches.values[index[i]], expected[i], 1e-6) << "value " << index[i];
    }
  }

  Json entry_;
};

/// One picture NAME_resized_MIN_MAX.png: the resize of NAME.png.
class ResizedPicture : public testing::Test {
 public:
  explicit ResizedPicture(std::string name) : name_(std::move(name)) {}

  void TestBody() override {
    std::smatch part;
    ASSERT_TRUE(std::regex_match(name_, part, std::regex("(.*)_resized_([0-9]+)_([0-9]+)\\.png")));
    const data::Image image = data::read_image(folder() / (part[1].str() + ".png"));
    const data::PixelLimits limits{std::stod(part[2]), std::stod(part[3])};
    const data::ImageSize size = data::smart_resize(image.height, image.width, limits);
    EXPECT_TRUE(data::resize_bicubic(image, size.width, size.height) ==
                data::read_image(folder() / name_));
  }

 private:
  std::string name_;
};

/// Stands for a table that cannot be read, so that an empty folder is not a pass.
class PreprocessTableMissing : public testing::Test {
 public:
  explicit PreprocessTableMissing(std::string problem) : problem_(std::move(problem)) {}
  void TestBody() override { FAIL() << problem_; }

 private:
  std::string problem_;
};

void register_test(const std::string& name, std::function<testing::Test*()> make) {
  testing::RegisterTest("preprocess", name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                        std::move(make));
}

/// Tests named after the files, whatever the folder holds.
bool register_entries() {
  try {
    std::ifstream stream(folder() / "preprocess.json");
    const Json table = Json::parse(stream);
    if (table.empty()) throw std::runtime_error("preprocess.json is empty");
    for (const Json& entry : table) {
      register_test(entry.at("file").get<std::string>() + "/" + entry.at("min_pixels").dump() +
                        "_" + entry.at("max_pixels").dump(),
                    [entry] { return new PreprocessEntry(entry); });
    }
    for (const auto& file : std::filesystem::directory_iterator(folder())) {
      const std::string name = file.path().filename().string();
      if (name.find("_resized_") == std::string::npos) continue;
      register_test(name, [name] { return new ResizedPicture(name); });
    }
  } catch (const std::exception& error) {
    register_test("preprocess.json", [problem = std::string(error.what())] {
      return new PreprocessTableMissing(problem);
    });
  }
  return true;
}
const bool registered = register_entries();

TEST(preprocess_smart_resize_csv, EveryRow) {
  const auto rows = read_csv(folder() / "smart_resize.csv");
  for (const auto& row : rows) {
    SCOPED_TRACE(testing::PrintToString(row));
    ASSERT_EQ(row.size(), 6u);
    const int height = std::stoi(row[0]), width = std::stoi(row[1]);
    const data::PixelLimits limits{std::stod(row[2]), std::stod(row[3])};
    if (row[4] == "error") {
      EXPECT_THROW(data::smart_resize(height, width, limits), ValueError);
    } else {
      const data::ImageSize size = data::smart_resize(height, width, limits);
      EXPECT_EQ(size.height, std::stoi(row[4]));
      EXPECT_EQ(size.width, std::stoi(row[5]));
    }
  }
}

TEST(preprocess_video_frames_csv, EveryRow) {
  const auto rows = read_csv(folder() / "video_frames.csv");
  for (const auto& row : rows) {
    SCOPED_TRACE(testing::PrintToString(row));
    ASSERT_GE(row.size(), 3u);
    const std::int64_t total = std::stoll(row[0]);
    const double fps = std::stod(row[1]);
    if (row[2] == "error") {
      EXPECT_THROW(data::frame_count(total, fps), ValueError);
      continue;
    }
    const std::int64_t count = data::frame_count(total, fps);
    ASSERT_EQ(count, std::stoll(row[2]));
    std::vector<std::int64_t> indices = data::frame_indices(total, count);
    ASSERT_EQ(indices.size(), static_cast<std::size_t>(count));
    indices.resize(std::min<std::size_t>(indices.size(), 32));
    std::vector<std::int64_t> expected;
    std::istringstream text(row.at(3));
    for (std::int64_t index = 0; text >> index;) expected.push_back(index);
    EXPECT_EQ(indices, expected);
  }
}

}  // namespace
}  // namespace vlmark::test
