#include "tests/fuzz/input_folder.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>

namespace vlmark::fuzz {
namespace {

namespace fs = std::filesystem;

struct Folder {
  Folder() {
    const fs::path memory = "/dev/shm";
    const bool usable = ::access(memory.c_str(), W_OK) == 0;
    std::string name =
        ((usable ? memory : fs::temp_directory_path()) / "vlmark_fuzz_XXXXXX").string();
    require(::mkdtemp(name.data()) != nullptr, "no folder for inputs can be made");
    path = name;
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  fs::path path;
};

}  // namespace

const fs::path& input_folder() {
  static const Folder folder;
  return folder.path;
}

fs::path write_input(const std::string& name, Bytes bytes) {
  const fs::path path = input_folder() / name;
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  require(
      file >= 0 && ::write(file, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()),
      "an input cannot be written");
  ::close(file);
  return path;
}

}  // namespace vlmark::fuzz
