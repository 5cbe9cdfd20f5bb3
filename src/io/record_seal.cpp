#include "src/io/record_seal.hpp"

#include <zlib.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "src/base/error.hpp"
#include "src/io/file.hpp"

namespace vlmark::io {
namespace {

constexpr std::string_view kBegin = "vlmark record: ";

/// The line for the bytes that follow the seal.
std::string seal_of(std::span<const std::byte> body) {
  const auto crc = ::crc32_z(0, reinterpret_cast<const unsigned char*>(body.data()), body.size());
  char text[80];
  std::snprintf(text, sizeof text, "%zu bytes, CRC-32 %08lx", body.size(),
                static_cast<unsigned long>(crc));
  return text;
}

}  // namespace

void seal_record(const std::filesystem::path& record) {
  std::string line(kBegin);
  {
    const MappedFile file(record);
    line += seal_of(file.bytes().subspan(kSealBytes)) + "\n";
  }
  std::fstream file(record, std::ios::in | std::ios::out | std::ios::binary);
  file.write(line.data(), static_cast<std::streamsize>(line.size()));
  file.close();
  if (!file)
    throw IoError(record.string() +
                  ": cannot be sealed. Check the folder and the space left, then run again");
}

void require_seal(const std::filesystem::path& record) {
  const MappedFile file(record);
  const auto bytes = file.bytes();
  const std::string_view text{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  if (bytes.size() < kSealBytes || !text.starts_with(kBegin))
    throw IoError(record.string() + ": is no record of vlmark (" + std::to_string(bytes.size()) +
                  " bytes that do not begin with its seal). Give the folder of a run's results");
  const std::string_view line = text.substr(kBegin.size(), kSealBytes - kBegin.size());
  const std::string_view stored = line.substr(0, line.find('\n'));
  const std::string actual = seal_of(bytes.subspan(kSealBytes));
  if (stored == actual) return;
  throw IoError(record.string() + ": holds " + actual + " (sealed were " + std::string(stored) +
                ": the record is cut, damaged or was changed after the run). Restore it, or run "
                "again");
}

}  // namespace vlmark::io
