#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

namespace vlmark::test {

/// The root of the source tree; ctest sets it.
inline std::filesystem::path source_folder() {
  const char* folder = std::getenv("VLMARK_SOURCE_DIR");
  return folder != nullptr ? folder : ".";
}

/// A folder of golden data.
inline std::filesystem::path golden_folder() {
  const char* folder = std::getenv("VLMARK_GOLDEN");
  return folder != nullptr ? std::filesystem::path(folder) : source_folder() / "tests/golden";
}

/// A file that another program wrote.
inline std::filesystem::path foreign_file(const std::string& name) {
  return source_folder() / "tests/io/data" / name;
}

/// An empty folder that exists as long as the object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "vlmark_io_XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Expects that `action` throws `ExpectedError` whose text holds every one of `parts`.
template <class ExpectedError, class Action>
void expect_error(Action&& action, const std::vector<std::string>& parts) {
  try {
    action();
  } catch (const ExpectedError& e) {
    for (const auto& part : parts) EXPECT_THAT(e.what(), testing::HasSubstr(part));
    return;
  } catch (const std::exception& e) {
    ADD_FAILURE() << "another error was thrown: " << e.what();
    return;
  }
  ADD_FAILURE() << "nothing was thrown (expected text with '" << parts.front() << "')";
}

}  // namespace vlmark::test
