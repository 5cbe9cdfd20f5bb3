#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

namespace vlmark::fuzz {

using Bytes = std::span<const std::uint8_t>;

inline std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Most heap memory a reader may hold at any time while it reads an input of n bytes:
/// fixed + per_byte * n (docs/testing.md lists them).
struct HeapBound {
  std::size_t fixed = 0;
  std::size_t per_byte = 0;
};

/// Runs a reader on an input. It may return or throw one of the project's errors. Any other
/// exception, an error text without an end to it (above 1 KiB plus 64 times the input), and more
/// heap memory than `bound` allows end the program: each is a finding.
void bounded(Bytes input, HeapBound bound, const std::function<void()>& read);

/// Ends the program with a text unless `holds`.
void require(bool holds, const char* what);

}  // namespace vlmark::fuzz
