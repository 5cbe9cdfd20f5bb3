#pragma once

#include "src/model/micro_batch.hpp"
#include "src/plan/model_config.hpp"

namespace vlmark::verification {

/// Rule V3: how many indices of a micro-batch are not what the model's rule gives: M-RoPE positions
/// of tokens, rows and columns of patches, and the bounds of attention's segments (a sequence in the
/// decoder, two frames in the ViT). Each is formed here from its own index, by other code than the
/// one that made it:
///
///     text token i of a sequence:   i + sum over earlier media (max(t, h, w) - t h w)
///     token j of a medium t x h x w that starts at b:  b + (j / (h w),  j / w mod h,  j mod w)
///     patch p of a frame with w columns, blocks of 4:  row 2 (p / (2 w)) + p mod 4 / 2,
///                                                      column 2 (p mod 2 w / 4) + p mod 2
///
/// with t, h, w in merged patches, w in patches in the last line (merge size 2).
/// Patches are looked at where `wanted` has them.
long wrong_positions(const model::MicroBatch& batch, const plan::ModelConfig& model,
                     model::Contents wanted = {});

}  // namespace vlmark::verification
