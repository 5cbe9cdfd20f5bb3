#include "src/data/patches.hpp"

#include <algorithm>
#include <string>

#include "src/base/error.hpp"
#include "src/data/resize.hpp"

namespace vlmark::data {
namespace {

std::string describe(ImageSize size) {
  return "height " + std::to_string(size.height) + " and width " + std::to_string(size.width);
}

/// All 256 normalised values of each channel, in the processor's order of roundings.
using Table = std::array<std::array<float, 256>, 3>;

Table make_table(const Normalisation& normalisation) {
  Table table;
  for (int c = 0; c < 3; ++c) {
    const auto mean = static_cast<float>(normalisation.mean[c]);
    const auto deviation = static_cast<float>(normalisation.deviation[c]);
    if (!(deviation > 0)) {
      throw ValueError("flatten_patches: deviation of channel " + std::to_string(c) + " is " +
                       std::to_string(deviation) + " (must be > 0). Check image_std");
    }
    for (int v = 0; v < 256; ++v) {
      table[c][v] = (static_cast<float>(v * normalisation.rescale) - mean) / deviation;
    }
  }
  return table;
}

void require_frames(std::span<const Image> frames, const plan::VisionConfig& vision) {
  if (vision.in_channels != 3) {
    throw ShapeError("flatten_patches: in_channels is " + std::to_string(vision.in_channels) +
                     " (pictures have 3). Check the model's vision_config");
  }
  for (const Image& frame : frames) {
    require_image("flatten_patches", frame);
    const ImageSize first{frames[0].height, frames[0].width}, size{frame.height, frame.width};
    if (size == first) continue;
    throw ShapeError("flatten_patches: frame " + std::to_string(&frame - frames.data()) + " has " +
                     describe(size) + ", the first has " + describe(first) +
                     " (a video has one grid). Resize the frames alike");
  }
}

/// One channel of one frame's P x P pixels, rows one after the other.
void copy_patch(const Image& frame, int y, int x, int channel, int side,
                const std::array<float, 256>& table, float* out) {
  for (int py = 0; py < side; ++py) {
    const std::uint8_t* in =
        frame.rgb.data() + (static_cast<std::size_t>(y + py) * frame.width + x) * 3 + channel;
    for (int px = 0; px < side; ++px) out[py * side + px] = table[in[3 * px]];
  }
}

}  // namespace

plan::Grid patch_grid(int frames, ImageSize size, const plan::VisionConfig& vision) {
  if (frames < 1) {
    throw ValueError("patch_grid: " + std::to_string(frames) +
                     " frames (a picture has 1, a video at least 1). Check the medium");
  }
  const int factor = vision.patch_size * vision.merge_size;
  if (size.height < 1 || size.width < 1 || size.height % factor != 0 || size.width % factor != 0) {
    throw ShapeError("patch_grid: " + describe(size) + " are not positive multiples of " +
                     std::to_string(factor) +
                     " (patch_size * merge_size). Resize to what smart_resize gives");
  }
  const int pair = vision.temporal_patch_size;
  return {(frames + pair - 1) / pair, size.height / vision.patch_size,
          size.width / vision.patch_size};
}

void flatten_patches(std::span<const Image> frames, const plan::VisionConfig& vision,
                     const Normalisation& normalisation, std::span<float> out) {
  if (frames.empty()) {
    throw ValueError("flatten_patches: 0 frames (nothing to encode). Check the medium");
  }
  require_frames(frames, vision);
  const plan::Grid grid =
      patch_grid(static_cast<int>(frames.size()), {frames[0].height, frames[0].width}, vision);
  require_extents("flatten_patches", "out", {static_cast<long>(out.size())},
                  {static_cast<long>(grid.patches()) * vision.patch_values()});
  const Table table = make_table(normalisation);
  const int side = vision.patch_size, area = side * side, merge = vision.merge_size;
  const int pair = vision.temporal_patch_size;
  float* patch = out.data();
  const auto write_patch = [&](int t, int row, int column) {
    for (int c = 0; c < 3; ++c) {
      for (int f = 0; f < pair; ++f, patch += area) {
        const std::size_t index = static_cast<std::size_t>(t) * pair + f;
        if (f > 0 && index >= frames.size()) {  // the frame before once more
          std::copy(patch - area, patch, patch);
        } else {
          copy_patch(frames[index], row * side, column * side, c, side, table[c], patch);
        }
      }
    }
  };
  for (int t = 0; t < grid.t; ++t) {
    for (int bh = 0; bh < grid.h; bh += merge) {
      for (int bw = 0; bw < grid.w; bw += merge) {
        for (int m = 0; m < merge * merge; ++m) write_patch(t, bh + m / merge, bw + m % merge);
      }
    }
  }
}

PatchMatrix flatten_patches(std::span<const Image> frames, const plan::VisionConfig& vision,
                            const Normalisation& normalisation) {
  require_frames(frames, vision);
  PatchMatrix matrix;
  matrix.grid = patch_grid(
      static_cast<int>(frames.size()),
      frames.empty() ? ImageSize{} : ImageSize{frames[0].height, frames[0].width}, vision);
  matrix.values.resize(static_cast<std::size_t>(matrix.grid.patches()) * vision.patch_values());
  flatten_patches(frames, vision, normalisation, matrix.values);
  return matrix;
}

plan::Grid preprocessed_grid(int frames, ImageSize original, const PixelLimits& limits,
                             const plan::VisionConfig& vision) {
  const int factor = vision.patch_size * vision.merge_size;
  return patch_grid(frames, smart_resize(original.height, original.width, limits, factor), vision);
}

PatchMatrix preprocess(std::span<const Image> frames, const PixelLimits& limits,
                       const plan::VisionConfig& vision, const Normalisation& normalisation) {
  require_frames(frames, vision);  // resizing would hide frames of different size
  std::vector<Image> resized;
  resized.reserve(frames.size());
  const int factor = vision.patch_size * vision.merge_size;
  for (const Image& frame : frames) {
    const ImageSize size = smart_resize(frame.height, frame.width, limits, factor);
    resized.push_back(resize_bicubic(frame, size.width, size.height));
  }
  return flatten_patches(resized, vision, normalisation);
}

}  // namespace vlmark::data
