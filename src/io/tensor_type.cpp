#include "src/io/tensor_type.hpp"

#include <algorithm>
#include <array>

#include "src/base/error.hpp"

namespace vlmark::io {
namespace {

struct Row {
  TensorType type;
  std::string_view name;
  std::size_t size;
};

// In the order of the reference implementation's `enum Dtype`, which sorts a written file.
constexpr std::array kTypes = {
    Row{TensorType::boolean, "BOOL", 1},    Row{TensorType::u8, "U8", 1},
    Row{TensorType::i8, "I8", 1},           Row{TensorType::f8_e5m2, "F8_E5M2", 1},
    Row{TensorType::f8_e4m3, "F8_E4M3", 1}, Row{TensorType::i16, "I16", 2},
    Row{TensorType::u16, "U16", 2},         Row{TensorType::f16, "F16", 2},
    Row{TensorType::bf16, "BF16", 2},       Row{TensorType::i32, "I32", 4},
    Row{TensorType::u32, "U32", 4},         Row{TensorType::f32, "F32", 4},
    Row{TensorType::f64, "F64", 8},         Row{TensorType::i64, "I64", 8},
    Row{TensorType::u64, "U64", 8},
};

const Row& row(TensorType type) { return kTypes.at(static_cast<std::size_t>(type)); }

}  // namespace

std::size_t size_of(TensorType type) { return row(type).size; }
std::string_view name_of(TensorType type) { return row(type).name; }

std::optional<TensorType> tensor_type(std::string_view name) {
  const auto found = std::find_if(kTypes.begin(), kTypes.end(),
                                  [name](const Row& known) { return known.name == name; });
  if (found == kTypes.end()) return std::nullopt;
  return found->type;
}

TensorType tensor_type(DType type) {
  switch (type) {
    case DType::f32:
      return TensorType::f32;
    case DType::bf16:
      return TensorType::bf16;
    case DType::f64:
      return TensorType::f64;
    case DType::i32:
      return TensorType::i32;
    case DType::i64:
      return TensorType::i64;
    case DType::u8:
      return TensorType::u8;
  }
  throw ValueError("tensor_type: unknown element type " + std::to_string(static_cast<int>(type)) +
                   " (no safetensors name stands for it). Please report it");
}

bool is_floating(TensorType type) {
  switch (type) {
    case TensorType::f16:
    case TensorType::bf16:
    case TensorType::f32:
    case TensorType::f64:
      return true;
    default:
      return false;
  }
}

}  // namespace vlmark::io
