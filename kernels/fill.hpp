#pragma once

#include <cstdint>

#include "kernels/types.hpp"
#include "src/base/philox.hpp"

namespace vlmark::kernels {

/// x[i] = scale * stream.normal(first_index + i), rounded to T: the initial weights of the slice
/// of a logical tensor that starts at its element `first_index`. The same bits on every rank,
/// device and slicing. x: [n], overwritten. Throws ValueError.
/// Cost: n*sizeof(T) byte and about 100 integer operations an element.
void fill_normal(const Exec& exec, const Philox& stream, float scale, Vec<float> x,
                 std::uint64_t first_index = 0);
void fill_normal(const Exec& exec, const Philox& stream, float scale, Vec<bf16> x,
                 std::uint64_t first_index = 0);

/// Every element = value, rounded to T. Cost: n*sizeof(T) byte for n elements.
void fill(const Exec& exec, float value, Vec<float> x);
void fill(const Exec& exec, float value, Vec<bf16> x);
void fill(const Exec& exec, float value, Mat<float> x);
void fill(const Exec& exec, float value, Mat<bf16> x);

}  // namespace vlmark::kernels
