#include "src/io/journal.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "src/base/error.hpp"
#include "src/io/journal_records.hpp"

namespace vlmark::io {
namespace {

constexpr std::size_t kFlushAt = std::size_t{1} << 20;
// Longer ones (a topology of many MiB at most) do not exist: a longer length is a damaged one.
constexpr std::uint32_t kLongestPayload = std::uint32_t{1} << 28;
constexpr std::size_t kFrame = 3 * sizeof(std::uint32_t);

void put(std::vector<std::byte>& out, std::uint32_t value) {
  const auto bytes = std::as_bytes(std::span(&value, 1));
  out.insert(out.end(), bytes.begin(), bytes.end());
}

std::uint32_t get(std::span<const std::byte> bytes, std::size_t at) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

/// CRC-32 of ISO 3309, as zlib and PNG use it.
std::uint32_t crc(std::span<const std::byte> bytes) {
  return static_cast<std::uint32_t>(
      ::crc32_z(0, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

}  // namespace

JournalWriter::JournalWriter(const std::filesystem::path& path, int rank, int ranks) : path_(path) {
  descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor_ < 0) {
    const int code = errno;
    throw IoError(
        path.string() + ": the journal cannot be created (" + std::strerror(code) + ")" +
        (code == EEXIST ? ". It belongs to an earlier run: choose another results folder" : ""));
  }
  waiting_.reserve(2 * kFlushAt);
  const JournalBegin begin{kJournalVersion, rank, ranks, 0};
  append(static_cast<std::uint32_t>(RecordType::begin), std::as_bytes(std::span(&begin, 1)));
}

JournalWriter::~JournalWriter() {
  if (descriptor_ < 0) return;
  // Best effort while an error passes: what was noted helps to explain it. The missing closing
  // record marks the journal as incomplete in any case.
  [[maybe_unused]] const auto written = ::write(descriptor_, waiting_.data(), waiting_.size());
  ::close(descriptor_);
}

void JournalWriter::append(std::uint32_t type, std::span<const std::byte> payload) {
  if (descriptor_ < 0)
    throw IoError(path_.string() +
                  ": the journal is closed already (a record after the closing one "
                  "would not be read). Please report it");
  if (payload.size() > kLongestPayload)
    throw IoError(path_.string() + ": a record has " + std::to_string(payload.size()) +
                  " bytes (at most " + std::to_string(kLongestPayload) + "). Please report it");
  put(waiting_, static_cast<std::uint32_t>(payload.size()));
  const std::size_t covered = waiting_.size();
  put(waiting_, type);
  waiting_.insert(waiting_.end(), payload.begin(), payload.end());
  put(waiting_, crc(std::span(waiting_).subspan(covered)));
  if (waiting_.size() >= kFlushAt) flush();
}

void JournalWriter::flush() {
  write_all(descriptor_, waiting_, path_);
  waiting_.clear();
}

void JournalWriter::close() {
  append(static_cast<std::uint32_t>(RecordType::end), {});
  flush();
  if (::fsync(descriptor_) != 0 || ::close(std::exchange(descriptor_, -1)) != 0)
    throw IoError(path_.string() + ": the journal cannot be flushed to the device (" +
                  std::strerror(errno) + "). Check space and quota, then run again");
}

std::optional<JournalRecord> JournalReader::next() {
  const auto rest = file_.bytes().subspan(at_);
  if (rest.empty() || incomplete_at_) return std::nullopt;
  const auto cut = [&]() -> std::optional<JournalRecord> {
    incomplete_at_ = at_;
    return std::nullopt;
  };
  if (rest.size() < sizeof(std::uint32_t)) return cut();
  const std::uint32_t length = get(rest, 0);
  const std::string where = path().string() + ": record at byte " + std::to_string(at_);
  if (length > kLongestPayload)
    throw IoError(where + ": says it has " + std::to_string(length) + " bytes (at most " +
                  std::to_string(kLongestPayload) +
                  "; the journal is damaged). Run again, or restore the file");
  if (rest.size() < kFrame + length) return cut();
  const std::uint32_t expected = get(rest, kFrame - sizeof(std::uint32_t) + length);
  const std::uint32_t actual = crc(rest.subspan(sizeof length, sizeof(std::uint32_t) + length));
  if (actual != expected)
    throw IoError(where + ": its checksum is " + std::to_string(actual) + " (expected " +
                  std::to_string(expected) +
                  "; the journal is damaged). Run again, or restore the file");
  const JournalRecord record{at_, get(rest, sizeof length),
                             rest.subspan(2 * sizeof(std::uint32_t), length)};
  at_ += kFrame + length;
  return record;
}

std::filesystem::path journal_path(const std::filesystem::path& folder, int rank) {
  char name[32];
  std::snprintf(name, sizeof name, "rank-%05d.journal", rank);
  return folder / "journals" / name;
}

}  // namespace vlmark::io
