#pragma once

#include "src/data/image.hpp"

namespace vlmark::data {

/// Resizes with Pillow's bicubic filter, bit for bit.
///
///     out[i] = clip((2^21 + sum_j q[i,j] * in[j]) >> 22),   q = round(2^22 * p)
///     p[i,j] = K((j - c_i + 0.5) / s) / sum_j K(...),   c_i = (i + 0.5) * in / out,
///     s = max(in / out, 1),   K = cubic convolution with a = -0.5 (support 2)
///
/// Horizontal pass first, 8-bit result between the passes; a pass that does not change the size is
/// skipped. A picture more than 100 times as tall as wide that loses rows is resized vertically
/// first, as in Pillow 12.3, with which the golden data is made (before 12.2 it was not, and 13
/// changes the order for more pictures).
/// Weights in double without fused operations, ties of q away from zero.
/// Source: Pillow, src/libImaging/Resample.c, src/PIL/Image.py; filter: Keys, IEEE TASSP 29 (1981),
/// eq. 4.
///
/// Throws ShapeError for an inconsistent picture, ValueError for a side below 1. Cost, with
/// n = 4 * max(in / out, 1) taps: 3 * (n_x * in_h * out_w + n_y * out_h * out_w) multiply-adds.
Image resize_bicubic(const Image& source, int width, int height);

}  // namespace vlmark::data
