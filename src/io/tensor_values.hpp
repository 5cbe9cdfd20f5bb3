#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "src/base/bf16.hpp"
#include "src/io/safetensors.hpp"

namespace vlmark::io {

/// Copies elements [first, first + out.size()) of a stored tensor in row-major order, converted to
/// the type of `out`: exact where `out` is wider, else rounded to nearest even (fp64 to bf16 by way
/// of fp32). A shard of a tensor is thus read without its other pages.
///
/// | argument | shape                | meaning                                  |
/// |----------|----------------------|------------------------------------------|
/// | tensor   | any                  | F64, F32, BF16 or F16                    |
/// | first    | < numel              | flat index of the first element          |
/// | out      | [count]              | first + count <= numel                   |
///
/// Throws ValueError for another element type, ShapeError for a range outside the tensor.
void copy_values(const TensorView& tensor, std::size_t first, std::span<float> out);
void copy_values(const TensorView& tensor, std::size_t first, std::span<double> out);
void copy_values(const TensorView& tensor, std::size_t first, std::span<bf16> out);

/// All elements. Throws as copy_values.
std::vector<float> to_floats(const TensorView& tensor);
std::vector<double> to_doubles(const TensorView& tensor);

/// All elements of an integer or boolean tensor. Throws ValueError for another type, and for a U64
/// beyond 2^63 - 1.
std::vector<std::int64_t> to_integers(const TensorView& tensor);

/// Throws ValueError that names the first NaN or infinity among `values`, which are elements `first`
/// and on of `tensor` in `file`: a weight that is not finite makes every output NaN.
void require_finite(std::span<const float> values, std::size_t first, std::string_view tensor,
                    std::string_view file);

}  // namespace vlmark::io
