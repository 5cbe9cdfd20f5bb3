#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "src/base/dtype.hpp"

namespace vlmark::io {

/// Element types of the safetensors format whose elements are whole bytes.
enum class TensorType : std::uint8_t {
  boolean,
  u8,
  i8,
  f8_e5m2,
  f8_e4m3,
  i16,
  u16,
  f16,
  bf16,
  i32,
  u32,
  f32,
  f64,
  i64,
  u64
};

std::size_t size_of(TensorType type);
/// As in a file: "BF16".
std::string_view name_of(TensorType type);
/// Nothing for a name the format does not know.
std::optional<TensorType> tensor_type(std::string_view name);
TensorType tensor_type(DType type);
bool is_floating(TensorType type);

}  // namespace vlmark::io
