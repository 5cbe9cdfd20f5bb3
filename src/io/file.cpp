#include "src/io/file.hpp"

#include <fcntl.h>
#include <sanitizer/asan_interface.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "src/base/error.hpp"

namespace vlmark::io {
namespace {

/// Reads errno at once: building the text may change it.
IoError failure(const std::filesystem::path& path, const std::string& what) {
  const int code = errno;
  return IoError(path.string() + ": " + what + " (" + std::strerror(code) +
                 "). Check the path, its permissions and the space left");
}

/// Behind the file's last byte up to the end of its page lie zeros: AddressSanitizer is told that
/// they are out of bounds. Nothing in other builds.
std::span<const std::byte> rest_of_page(std::span<const std::byte> mapped) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return {mapped.data() + mapped.size(), (page - mapped.size() % page) % page};
}

/// A file descriptor that closes itself where an exception passes.
struct Descriptor {
  int value;
  ~Descriptor() {
    if (value >= 0) ::close(value);
  }
};

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) : path_(path) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.value < 0) throw failure(path, "cannot be opened");
  struct stat status = {};
  if (::fstat(file.value, &status) != 0) throw failure(path, "cannot be examined");
  if (!S_ISREG(status.st_mode))
    throw IoError(path.string() +
                  ": is not a regular file (only those are mapped). Check the path");
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0) return;  // mmap refuses a length of zero
  void* start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.value, 0);
  if (start == MAP_FAILED) throw failure(path, "cannot be mapped");
  bytes_ = {static_cast<const std::byte*>(start), size};
  ASAN_POISON_MEMORY_REGION(rest_of_page(bytes_).data(), rest_of_page(bytes_).size());
}

MappedFile::~MappedFile() {
  if (bytes_.empty()) return;
  ASAN_UNPOISON_MEMORY_REGION(rest_of_page(bytes_).data(), rest_of_page(bytes_).size());
  ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)), bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

void drop_pages(std::span<const std::byte> part) {
  // The page that the next part begins on stays.
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto first = reinterpret_cast<std::uintptr_t>(part.data());
  const std::uintptr_t begin = first / page * page, end = (first + part.size()) / page * page;
  // Advice: where the system does not take it, the pages merely stay.
  if (end > begin) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

OutputFile::OutputFile(const std::filesystem::path& path)
    : path_(path), temporary_(path.string() + ".tmp") {
  descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor_ < 0) throw failure(path, "cannot be written");
}

OutputFile::~OutputFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
}

void OutputFile::write(std::span<const std::byte> bytes) { write_all(descriptor_, bytes, path_); }
void OutputFile::write(std::string_view text) { write(std::as_bytes(std::span(text))); }

void OutputFile::write_at(std::uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written =
        ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0)
      throw failure(path_, "cannot write " + std::to_string(bytes.size()) + " more bytes");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
}

void OutputFile::commit() {
  if (::fsync(descriptor_) != 0) throw failure(path_, "cannot be flushed to the device");
  if (::close(std::exchange(descriptor_, -1)) != 0) throw failure(path_, "cannot be closed");
  if (::rename(temporary_.c_str(), path_.c_str()) != 0)
    throw failure(path_, "cannot be renamed from " + temporary_.string());
  const auto folder = path_.parent_path();
  sync_to_device(folder.empty() ? "." : folder);
}

void write_all(int descriptor, std::span<const std::byte> bytes,
               const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0)
      throw failure(path, "cannot write " + std::to_string(bytes.size()) + " more bytes");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void sync_to_device(const std::filesystem::path& path) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.value < 0) throw failure(path, "cannot be opened to flush it");
  // Some network file systems cannot flush a folder; the rename itself has succeeded there.
  if (::fsync(file.value) != 0 && errno != EINVAL && errno != ENOTSUP)
    throw failure(path, "cannot be flushed to the device");
}

std::string read_text_file(const std::filesystem::path& path) {
  const MappedFile file(path);
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

void duplicate(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::error_code error;
  std::filesystem::copy_file(from, to, std::filesystem::copy_options::overwrite_existing, error);
  if (error)
    throw IoError(from.string() + ": cannot be copied to " + to.string() + " (" + error.message() +
                  "). Check the space left and the permissions");
}

void write_text_file(const std::filesystem::path& path, std::string_view text) {
  OutputFile file(path);
  file.write(text);
  file.commit();
}

}  // namespace vlmark::io
