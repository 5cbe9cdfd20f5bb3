#include "src/io/tensor_values.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>

#include "src/base/error.hpp"

namespace vlmark::io {
namespace {

struct Half {
  std::uint16_t bits;
};

/// Exact: every binary16 value is a binary32 value.
float widen(Half half) {
  const std::uint32_t sign = std::uint32_t{half.bits & 0x8000u} << 16;
  const std::uint32_t exponent = (half.bits >> 10) & 0x1fu, fraction = half.bits & 0x3ffu;
  if (exponent == 0)  // zero or subnormal: fraction * 2^-24
    return std::copysign(static_cast<float>(fraction) * 0x1p-24f, sign != 0 ? -1.0f : 1.0f);
  const std::uint32_t widened = exponent == 0x1f ? 0xffu : exponent + (127 - 15);
  return std::bit_cast<float>(sign | widened << 23 | fraction << 13);
}

double widen(double x) { return x; }
using vlmark::widen;  // bf16 and float

template <class To, class From>
To convert(From value) {
  if constexpr (std::is_same_v<To, bf16>)
    return to_bf16(static_cast<float>(widen(value)));
  else
    return static_cast<To>(widen(value));
}

/// Element by element through memcpy, because the data need not be aligned.
template <class From, class To>
void convert_all(const std::byte* from, std::span<To> out) {
  if constexpr (std::is_same_v<From, To>) {
    if (!out.empty()) std::memcpy(out.data(), from, out.size_bytes());
  } else {
    for (std::size_t i = 0; i < out.size(); ++i) {
      From value;
      std::memcpy(&value, from + i * sizeof value, sizeof value);
      out[i] = convert<To>(value);
    }
  }
}

template <class To>
void copy_impl(const TensorView& tensor, std::size_t first, std::span<To> out) {
  if (first > tensor.numel() || out.size() > tensor.numel() - first)
    throw ShapeError("copy_values: elements [" + std::to_string(first) + ", " +
                     std::to_string(first + out.size()) + ") of tensor '" + tensor.name +
                     "' were asked for (it has " + std::to_string(tensor.numel()) +
                     "). Check the model's shapes");
  const std::byte* from = tensor.data.data() + first * size_of(tensor.type);
  switch (tensor.type) {
    case TensorType::f64:
      return convert_all<double>(from, out);
    case TensorType::f32:
      return convert_all<float>(from, out);
    case TensorType::bf16:
      return convert_all<bf16>(from, out);
    case TensorType::f16:
      return convert_all<Half>(from, out);
    default:
      throw ValueError("copy_values: tensor '" + tensor.name + "' is " +
                       std::string(name_of(tensor.type)) +
                       " (expected F64, F32, BF16 or F16). Convert the checkpoint");
  }
}

template <class To>
std::vector<To> all_of(const TensorView& tensor) {
  std::vector<To> values(tensor.numel());
  copy_values(tensor, 0, std::span<To>(values));
  return values;
}

template <class From>
std::vector<std::int64_t> all_integers(const TensorView& tensor) {
  std::vector<std::int64_t> values(tensor.numel());
  for (std::size_t i = 0; i < values.size(); ++i) {
    From value;
    std::memcpy(&value, tensor.data.data() + i * sizeof value, sizeof value);
    if (std::is_same_v<From, std::uint64_t> &&
        value > static_cast<From>(std::numeric_limits<std::int64_t>::max()))
      throw ValueError("to_integers: element " + std::to_string(i) + " of tensor '" + tensor.name +
                       "' is " + std::to_string(value) + " (above 2^63 - 1). Check the file");
    values[i] = static_cast<std::int64_t>(value);
  }
  return values;
}

}  // namespace

void copy_values(const TensorView& tensor, std::size_t first, std::span<float> out) {
  copy_impl(tensor, first, out);
}
void copy_values(const TensorView& tensor, std::size_t first, std::span<double> out) {
  copy_impl(tensor, first, out);
}
void copy_values(const TensorView& tensor, std::size_t first, std::span<bf16> out) {
  copy_impl(tensor, first, out);
}

std::vector<float> to_floats(const TensorView& tensor) { return all_of<float>(tensor); }
std::vector<double> to_doubles(const TensorView& tensor) { return all_of<double>(tensor); }

std::vector<std::int64_t> to_integers(const TensorView& tensor) {
  switch (tensor.type) {
    case TensorType::boolean:
    case TensorType::u8:
      return all_integers<std::uint8_t>(tensor);
    case TensorType::i8:
      return all_integers<std::int8_t>(tensor);
    case TensorType::i16:
      return all_integers<std::int16_t>(tensor);
    case TensorType::u16:
      return all_integers<std::uint16_t>(tensor);
    case TensorType::i32:
      return all_integers<std::int32_t>(tensor);
    case TensorType::u32:
      return all_integers<std::uint32_t>(tensor);
    case TensorType::i64:
      return all_integers<std::int64_t>(tensor);
    case TensorType::u64:
      return all_integers<std::uint64_t>(tensor);
    default:
      throw ValueError("to_integers: tensor '" + tensor.name + "' is " +
                       std::string(name_of(tensor.type)) +
                       " (expected an integer type). Check the file");
  }
}

void require_finite(std::span<const float> values, std::size_t first, std::string_view tensor,
                    std::string_view file) {
  // The first pass has no exit in its loop, so that it is vectorised.
  constexpr std::uint32_t exponent = 0x7f800000;
  bool finite = true;
  for (const float value : values)
    finite &= (std::bit_cast<std::uint32_t>(value) & exponent) != exponent;
  if (finite) return;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i]))
      throw ValueError(std::string(file) + ": element " + std::to_string(first + i) + " of '" +
                       std::string(tensor) + "' is " + std::to_string(values[i]) +
                       " (every output would be NaN). Download or export the checkpoint again");
}

}  // namespace vlmark::io
