#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "src/data/smart_resize.hpp"

namespace vlmark::data {

/// How frames are drawn from a video. Defaults: the model's release (qwen-vl-utils 0.0.8).
struct FrameSampling {
  double fps = 2.0;  ///< frames drawn per second of video
  int min_frames = 4;
  int max_frames = 768;
  int frame_factor = 2;            ///< the count is a multiple of it (temporal_patch_size)
  std::optional<int> frames = {};  ///< fixed count, rounded to a multiple; min and max do not apply
};

/// Number of frames drawn from a video of `total_frames` at `video_fps`.
///
///     lo = F * ceil(min_frames / F),  hi = F * floor(min(max_frames, total) / F)
///     n = F * round(min(max(total / video_fps * fps, lo), hi) / F), ties to even
///
/// Source: qwen-vl-utils 0.0.8, smart_nframes; there a caller's max_frames above `total` ends in an
/// error, here it is lowered to it. Throws ValueError where the result is not within [F, total].
std::int64_t frame_count(std::int64_t total_frames, double video_fps,
                         const FrameSampling& sampling = {});

/// `count` frame indices spread evenly from 0 to total_frames - 1, both included, ascending.
///
/// As torch.linspace(0, total - 1, count).round() in fp32: step = (total - 1) / (count - 1);
/// i * step below count / 2, else fma(-(count - 1 - i), step, total - 1); ties to even. Double
/// precision gives other frames. Throws ValueError unless 1 <= count <= total_frames.
std::vector<std::int64_t> frame_indices(std::int64_t total_frames, std::int64_t count);

/// Limits for smart_resize() of one frame of a video of which `frames` are drawn.
///
///     max = max(min(602112, total_pixels / frames * F), floor(1.05 * min))
///
/// The floor wins over the budget: 768 frames of 720p make 46,080 tokens. Source: qwen-vl-utils
/// 0.0.8, fetch_video. Throws ValueError for frames below 1.
PixelLimits frame_pixel_limits(std::int64_t frames, double min_pixels = 128.0 * 784,
                               double total_pixels = 24576.0 * 784, int frame_factor = 2);

}  // namespace vlmark::data
