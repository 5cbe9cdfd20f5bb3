#pragma once

#include <array>

#include "kernels/types.hpp"

namespace vlmark::kernels {

/// Largest head width of a rotary table.
inline constexpr int kMaxRotaryDim = 256;

/// Cosines and sines of multimodal rotary positions (M-RoPE) of the language model.
///
///     angle[t,i] = position[axis(i), t] * theta^(-2i/head_dim),   i in [0, head_dim/2)
///
/// The frequency indices are split into contiguous runs of section[0] (time), section[1] (height)
/// and section[2] (width) indices. Frequencies and angles are rounded to fp32 where PyTorch rounds
/// them. Source: Wang et al., arXiv:2409.12191, section 2.1; Qwen2-VL's modeling code.
///
/// | argument    | shape              | meaning                                              |
/// |-------------|--------------------|------------------------------------------------------|
/// | positions   | [3 * tokens]       | all times, then all heights, then all widths         |
/// | section     | 3 integers         | >= 0, sum head_dim / 2                               |
/// | theta       | scalar > 0         | base of the frequencies                              |
/// | table (out) | [tokens, head_dim] | cosines in columns [0, head_dim/2), then sines       |
///
/// Throws ShapeError, ValueError. Cost: tokens*head_dim trigonometric functions,
/// 4*tokens*(head_dim + 3) byte.
void mrope_table(const Exec& exec, Vec<const int> positions, const std::array<int, 3>& section,
                 float theta, Mat<float> table);

/// Cosines and sines of the two-dimensional rotary positions of the vision encoder.
///
///     angle[p,j] = h[p] * f[j],   angle[p, head_dim/4 + j] = w[p] * f[j],
///     f[j] = theta^(-2j / (head_dim/2)),   j in [0, head_dim/4)
///
/// | argument    | shape               | meaning                                           |
/// |-------------|---------------------|---------------------------------------------------|
/// | hw          | [2 * patches]       | all grid rows, then all grid columns              |
/// | table (out) | [patches, head_dim] | cosines in columns [0, head_dim/2), then sines    |
/// | theta       | scalar > 0          | base of the frequencies                           |
///
/// Throws ShapeError, ValueError. Cost: patches*head_dim trigonometric functions,
/// 4*patches*(head_dim + 2) byte.
void vision_rope_table(const Exec& exec, Vec<const int> hw, Mat<float> table,
                       float theta = 10000.0f);

/// Rotates the first `heads` heads of every row in place, in the half-split form.
///
///     a' = a cos - b sin,   b' = b cos + a sin,   a = x[i], b = x[i + head_dim/2] of one head
///
/// `inverse` turns the other way: the backward pass, because the rotation is orthogonal.
/// Arithmetic in fp32 for every T. Source: Su et al., arXiv:2104.09864, eq. 34, in the pairing of
/// Qwen2-VL's rotate_half.
///
/// | argument       | shape                          | meaning                              |
/// |----------------|--------------------------------|--------------------------------------|
/// | x (in and out) | [tokens, >= heads * head_dim]  | heads side by side; rest untouched   |
/// | table          | [tokens, head_dim]             | from mrope_table, vision_rope_table  |
///
/// Throws ShapeError, ValueError. Cost: 3*tokens*heads*head_dim flop,
/// 2*tokens*heads*head_dim*sizeof(T) + 4*tokens*head_dim byte.
void rotate_half(const Exec& exec, Mat<float> x, Mat<const float> table, int heads, int head_dim,
                 bool inverse);
void rotate_half(const Exec& exec, Mat<bf16> x, Mat<const float> table, int heads, int head_dim,
                 bool inverse);

}  // namespace vlmark::kernels
