#pragma once

#include <array>
#include <span>
#include <vector>

#include "src/data/image.hpp"
#include "src/data/smart_resize.hpp"
#include "src/plan/grid.hpp"
#include "src/plan/model_config.hpp"

namespace vlmark::data {

/// How an 8-bit value becomes the encoder's input: (u8 * rescale - mean[c]) / deviation[c].
struct Normalisation {
  double rescale = 1.0 / 255;
  std::array<double, 3> mean = {0.48145466, 0.4578275, 0.40821073};  ///< OpenAI CLIP, R G B
  std::array<double, 3> deviation = {0.26862954, 0.26130258, 0.27577711};
};

/// Input of the vision encoder for one picture or video.
struct PatchMatrix {
  plan::Grid grid;
  std::vector<float> values;  // [grid.patches(), vision.patch_values()]
};

/// Grid of `frames` frames of the given (resized) size. Throws ValueError without frames,
/// ShapeError where a side is not a positive multiple of patch_size * merge_size.
plan::Grid patch_grid(int frames, ImageSize size, const plan::VisionConfig& vision);

/// Normalises frames of one size and lays them out as the encoder reads them.
///
/// The number of frames is filled up to a multiple of temporal_patch_size (F) by repeating the
/// last, so that a single picture becomes F equal frames. With P = patch_size, M = merge_size:
///
///     row = (((t * grid.h/M + bh) * grid.w/M + bw) * M + mh) * M + mw
///     column = ((c * F + f) * P + py) * P + px
///     values[row, column] = pixel(frame t*F+f, channel c, y = (bh*M+mh)*P+py, x = (bw*M+mw)*P+px)
///
/// so that each run of M*M rows is the block that the merger joins into one token. The rescaled
/// value is rounded to fp32 before mean and deviation (both fp32) are applied, in this order.
/// Source: transformers, Qwen2-VL image processor, `_preprocess`.
///
/// | argument  | shape                              | meaning                           |
/// |-----------|------------------------------------|-----------------------------------|
/// | frames    | [T >= 1] pictures of equal size    | one picture, or a video's frames  |
/// | out (out) | [patches, vision.patch_values()]   | normalised values                 |
///
/// Throws ValueError (no frames), ShapeError (sizes differ, sides do not fit the patches, `out` has
/// another size, in_channels is not 3). Cost: one table look-up and 4 byte written per value.
void flatten_patches(std::span<const Image> frames, const plan::VisionConfig& vision,
                     const Normalisation& normalisation, std::span<float> out);
PatchMatrix flatten_patches(std::span<const Image> frames, const plan::VisionConfig& vision,
                            const Normalisation& normalisation = {});

/// Grid that preprocess() will give, from the original size alone. Throws as smart_resize().
plan::Grid preprocessed_grid(int frames, ImageSize original, const PixelLimits& limits,
                             const plan::VisionConfig& vision);

/// smart_resize(), resize_bicubic() and flatten_patches() of one picture (one frame) or of frames
/// of one size. Throws what these throw.
PatchMatrix preprocess(std::span<const Image> frames, const PixelLimits& limits,
                       const plan::VisionConfig& vision, const Normalisation& normalisation = {});

}  // namespace vlmark::data
