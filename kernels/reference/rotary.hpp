#pragma once

#include <array>

#include "kernels/reference/types.hpp"

namespace vlmark::kernels::reference {

/// Cosines in columns [0, head_dim/2), sines after them: [tokens, head_dim]. Frequencies and angles
/// are rounded to fp32 as PyTorch does, and only they; the model is defined with those angles.
/// positions: [3, tokens] (time, height, width).
Values mrope_table(std::span<const int> positions, const std::array<int, 3>& section, double theta,
                   int head_dim);

/// The same for patches at grid rows and columns hw: [2, patches] (rows, then columns).
Values vision_rope_table(std::span<const int> hw, int head_dim, double theta = 10000);

/// x: [tokens, width]; the first `heads` heads of each row turned by the table's angles, or by
/// their negatives (backward, which is the inverse).
Values rotate_half(Input x, Input table, int width, int heads, int head_dim, bool inverse);

}  // namespace vlmark::kernels::reference
