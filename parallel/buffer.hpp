#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>

#include "src/base/bf16.hpp"
#include "src/base/dtype.hpp"

namespace vlmark::parallel {

/// Memory that a message is read from. `queue` is the native stream that produces it (null: ready
/// now); `owner` keeps the allocation alive until the operation is complete.
struct ConstBuffer {
  const void* data = nullptr;
  std::size_t count = 0;  ///< elements of `type`, not bytes
  DType type = DType::f32;
  void* queue = nullptr;
  std::shared_ptr<const void> owner = nullptr;

  std::size_t bytes() const { return count * size_of(type); }
};

/// Memory that a message is written to (or read from: it converts to ConstBuffer).
struct Buffer {
  void* data = nullptr;
  std::size_t count = 0;  ///< elements of `type`, not bytes
  DType type = DType::f32;
  void* queue = nullptr;
  std::shared_ptr<const void> owner = nullptr;

  std::size_t bytes() const { return count * size_of(type); }
  operator ConstBuffer() const { return {data, count, type, queue, owner}; }
};

constexpr DType dtype_of(const float*) { return DType::f32; }
constexpr DType dtype_of(const bf16*) { return DType::bf16; }
constexpr DType dtype_of(const double*) { return DType::f64; }
constexpr DType dtype_of(const std::int32_t*) { return DType::i32; }
constexpr DType dtype_of(const std::int64_t*) { return DType::i64; }
constexpr DType dtype_of(const std::uint8_t*) { return DType::u8; }
constexpr DType dtype_of(const std::byte*) { return DType::u8; }
constexpr DType dtype_of(const char*) { return DType::u8; }

template <class T>
Buffer buffer(T* data, std::size_t count) {
  return {.data = data, .count = count, .type = dtype_of(data)};
}
template <class T>
ConstBuffer buffer(const T* data, std::size_t count) {
  return {.data = data, .count = count, .type = dtype_of(data)};
}
/// The elements of a vector, array, string or span; the caller keeps them alive.
template <class Range>
auto buffer(Range& values) {
  return buffer(std::data(values), std::size(values));
}

}  // namespace vlmark::parallel
