#pragma once

// Private to the box: fields of variable length in journals and messages.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "src/base/error.hpp"

namespace vlmark::io {

/// Joins numbers (as they are in memory) and texts (u32 length, bytes).
class ByteWriter {
 public:
  template <class Number>
  requires std::is_arithmetic_v<Number>
  void put(Number value) {
    const auto bytes = std::as_bytes(std::span(&value, 1));
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }
  void put(const std::string& text) {
    put(static_cast<std::uint32_t>(text.size()));
    const auto bytes = std::as_bytes(std::span(text));
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

/// Takes apart what ByteWriter joined. Throws IoError, begun by `where`, when bytes are missing.
class ByteReader {
 public:
  ByteReader(std::span<const std::byte> bytes, std::string where)
      : rest_(bytes), where_(std::move(where)) {}

  template <class Pod>
  requires std::is_trivially_copyable_v<Pod>
  void get(Pod& value) { std::memcpy(&value, take(sizeof value).data(), sizeof value); }
  void get(std::string& text) {
    std::uint32_t length = 0;
    get(length);
    const auto bytes = take(length);
    text.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  bool at_end() const { return rest_.empty(); }

 private:
  std::span<const std::byte> take(std::size_t count) {
    if (count > rest_.size())
      throw IoError(where_ + ": ends " + std::to_string(count - rest_.size()) +
                    " bytes too early (it was written by another version, or is damaged). Use the "
                    "version that "
                    "wrote it, or run again");
    const auto taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }

  std::span<const std::byte> rest_;
  std::string where_;
};

}  // namespace vlmark::io
