#pragma once

#include <span>

#include "src/data/image.hpp"
#include "src/data/smart_resize.hpp"
#include "src/plan/grid.hpp"
#include "src/plan/model_config.hpp"

namespace vlmark::recipe {

/// Largest deviation that pixel values of a picture may have, in levels of 1/255. Between the
/// picture's bytes and the values lie two roundings to 8 bits: the first, of the rows, passes the
/// columns' weights, whose absolute values sum to 1.17 to 1.25, so that at most 0.63 of it is left,
/// the second adds 0.5: 1.13 at most, 1.11 in tests.
inline constexpr double kMostLevels = 1.25;

/// Patches of a picture by the rule of data::smart_resize, formed here again from the model's card.
plan::Grid described_grid(data::ImageSize size, double min_pixels, double max_pixels,
                          const plan::VisionConfig& vision);

/// How far any of the encoder's inputs [patches, patch_values] lies from what the picture gives, in
/// levels of 1/255: the picture resized by Pillow's bicubic filter in double, the values put back
/// where rows and columns of the matrix say they belong, mean and deviation undone. Shares no code
/// with data::preprocess. NaN where a value is NaN; 255 where the sizes are no picture's.
double worst_level(const data::Image& picture, const plan::Grid& grid,
                   const plan::VisionConfig& vision, std::span<const float> values);

}  // namespace vlmark::recipe
