#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "src/io/file.hpp"

namespace vlmark::io {

/// Appends records to a journal: what one rank notes during a run. No communication, no HDF5.
///
///     record = u32 length of the payload | u32 type | payload | u32 CRC-32 of type and payload
///
/// Records gather in memory; flush() hands them to the operating system, from where they survive a
/// killed process. Call it between steps, never inside one.
class JournalWriter {
 public:
  /// Creates the file; throws IoError when it exists already or cannot be created. The first
  /// record says which rank of how many writes it.
  JournalWriter(const std::filesystem::path& path, int rank, int ranks);
  /// Without close() the journal stays incomplete, which a reader reports.
  ~JournalWriter();
  JournalWriter(const JournalWriter&) = delete;
  JournalWriter& operator=(const JournalWriter&) = delete;

  /// Cost: one copy of the payload; a write to the file once per MiB.
  void append(std::uint32_t type, std::span<const std::byte> payload);
  void flush();
  /// Appends the closing record and flushes to the device. Nothing may follow.
  void close();

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
  std::vector<std::byte> waiting_;
};

struct JournalRecord {
  std::uint64_t offset = 0;  ///< of its first byte in the file
  std::uint32_t type = 0;
  std::span<const std::byte> payload;  ///< valid while the reader lives
};

/// Reads the records of a journal in order. The tail of a killed run may be cut anywhere: reading
/// ends there and incomplete_at() says where. Anything else that does not fit is an IoError.
class JournalReader {
 public:
  explicit JournalReader(const std::filesystem::path& path) : file_(path) {}

  /// Nothing at the end of the file or at a cut record. Throws IoError on a wrong checksum.
  std::optional<JournalRecord> next();
  /// Offset of the record that was cut; nothing when the file ended with a whole record.
  std::optional<std::uint64_t> incomplete_at() const { return incomplete_at_; }
  const std::filesystem::path& path() const { return file_.path(); }

 private:
  MappedFile file_;
  std::uint64_t at_ = 0;
  std::optional<std::uint64_t> incomplete_at_;
};

/// `<folder>/journals/rank-00007.journal`
std::filesystem::path journal_path(const std::filesystem::path& folder, int rank);

}  // namespace vlmark::io
