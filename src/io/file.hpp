#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace vlmark::io {

/// A file mapped read-only for the lifetime of the object; spans into it stay valid when the
/// object is moved. Throws IoError when the file cannot be opened or mapped.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  const std::filesystem::path& path() const { return path_; }
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::filesystem::path path_;
  std::span<const std::byte> bytes_;
};

/// Takes the whole pages of a part of a MappedFile out of this process's resident memory. They stay
/// in the system's cache, and reading them again is allowed.
void drop_pages(std::span<const std::byte> part);

/// A file that appears under its name only when it is whole: written as `<path>.tmp`, flushed to
/// the device, then renamed by commit(). Without commit() the temporary file is removed.
class OutputFile {
 public:
  explicit OutputFile(const std::filesystem::path& path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  /// Appends; throws IoError (a full disk, for example).
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  /// Writes at an offset from the start of the file, in any order; what lies between is zero.
  void write_at(std::uint64_t offset, std::span<const std::byte> bytes);
  /// fsync, rename, fsync of the folder. Throws IoError.
  void commit();

 private:
  std::filesystem::path path_, temporary_;
  int descriptor_ = -1;
};

/// Writes all bytes to an open file descriptor; `path` only serves the error text.
void write_all(int descriptor, std::span<const std::byte> bytes, const std::filesystem::path& path);

/// Flushes a file or folder to the device. Throws IoError.
void sync_to_device(const std::filesystem::path& path);

/// Whole content of a file. Throws IoError.
std::string read_text_file(const std::filesystem::path& path);

/// Copies a file, over one that is there. Throws IoError.
void duplicate(const std::filesystem::path& from, const std::filesystem::path& to);

/// Writes a file through OutputFile. Throws IoError.
void write_text_file(const std::filesystem::path& path, std::string_view text);

}  // namespace vlmark::io
