#include "src/data/video_frames.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <string>

#include "src/base/error.hpp"

namespace vlmark::data {
namespace {

constexpr double max_frame_pixels = 768.0 * 784;

template <class... Parts>
ValueError refuse(const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  return ValueError(text.str());
}

void require_sampling(double video_fps, const FrameSampling& s) {
  if (!(video_fps > 0 && std::isfinite(video_fps))) {
    throw refuse("frame_count: the video has ", video_fps,
                 " frames per second (must be positive). Check the file's header");
  }
  if (!(s.fps > 0 && std::isfinite(s.fps))) {
    throw refuse("frame_count: fps is ", s.fps, " (must be positive). Change the sampling");
  }
  if (s.frame_factor < 1 || s.min_frames < 1 || s.max_frames < 1) {
    throw refuse("frame_count: min_frames ", s.min_frames, ", max_frames ", s.max_frames,
                 " and frame_factor ", s.frame_factor, " (all must be positive). Change them");
  }
}

}  // namespace

std::int64_t frame_count(std::int64_t total_frames, double video_fps,
                         const FrameSampling& sampling) {
  require_sampling(video_fps, sampling);
  const double factor = sampling.frame_factor;
  const auto total = static_cast<double>(total_frames);
  double wanted = 0;
  if (sampling.frames) {
    wanted = *sampling.frames;
  } else {
    const double lowest = factor * std::ceil(sampling.min_frames / factor);
    const double highest =
        factor * std::floor(std::min<double>(sampling.max_frames, total) / factor);
    wanted = std::min(std::max(total / video_fps * sampling.fps, lowest), highest);
  }
  const double count = factor * std::nearbyint(wanted / factor);
  if (!(count >= factor && count <= total)) {
    throw refuse("frame_count: ", count, " frames from a video of ", total_frames,
                 " frames (the count must lie between ", sampling.frame_factor,
                 " and the video's). Use a longer video or ask for fewer frames");
  }
  return static_cast<std::int64_t>(count);
}

std::vector<std::int64_t> frame_indices(std::int64_t total_frames, std::int64_t count) {
  if (count < 1 || count > total_frames) {
    throw refuse("frame_indices: ", count, " frames from a video of ", total_frames,
                 " frames (must lie between 1 and the video's). Ask for fewer frames");
  }
  const auto last = static_cast<float>(total_frames - 1);
  const float step = count > 1 ? last / static_cast<float>(count - 1) : 0.0f;
  std::vector<std::int64_t> indices(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    const bool lower = i < count / 2 || count == 1;
    const float point = lower ? static_cast<float>(i) * step
                              : std::fma(-static_cast<float>(count - 1 - i), step, last);
    // Above 2^24 frames fp32 may round the end up to a frame that is not there.
    indices[static_cast<std::size_t>(i)] =
        std::min(static_cast<std::int64_t>(std::nearbyint(point)), total_frames - 1);
  }
  return indices;
}

PixelLimits frame_pixel_limits(std::int64_t frames, double min_pixels, double total_pixels,
                               int frame_factor) {
  if (frames < 1) {
    throw refuse("frame_pixel_limits: ", frames, " frames (must be positive). Check the video");
  }
  const double share = total_pixels / static_cast<double>(frames) * frame_factor;
  return {min_pixels, std::max(std::min(max_frame_pixels, share), std::floor(min_pixels * 1.05))};
}

}  // namespace vlmark::data
