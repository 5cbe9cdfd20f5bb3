#pragma once

#include "kernels/types.hpp"

namespace vlmark::kernels {

/// y = x in the element type of y: float to bf16 rounds to nearest even, the others are exact.
/// x and y: equal shapes, not aliased. Throws ShapeError.
/// Cost: 0 flop, n*(sizeof x + sizeof y) byte for n elements.
void convert(const Exec& exec, Vec<const float> x, Vec<bf16> y);
void convert(const Exec& exec, Vec<const bf16> x, Vec<float> y);
void convert(const Exec& exec, Vec<const float> x, Vec<float> y);
void convert(const Exec& exec, Vec<const bf16> x, Vec<bf16> y);
void convert(const Exec& exec, Mat<const float> x, Mat<bf16> y);
void convert(const Exec& exec, Mat<const bf16> x, Mat<float> y);
void convert(const Exec& exec, Mat<const float> x, Mat<float> y);
void convert(const Exec& exec, Mat<const bf16> x, Mat<bf16> y);

}  // namespace vlmark::kernels
