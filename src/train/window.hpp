#pragma once

#include <span>

#include "src/config/run_config.hpp"

namespace vlmark::train {

/// How many steps stand before the timed window, and in it. Seconds are those of whole steps, over
/// all ranks, so that every rank decides alike.
class Window {
 public:
  Window(const config::RunConfig& config) : window_(config.window), train_(config.train) {}

  /// Whether the window opens after untimed steps that took these seconds each.
  bool opens(std::span<const double> untimed) const;
  /// Steps that the window is expected to have.
  int steps(std::span<const double> untimed) const;
  /// Steps that a window of `done` steps in `elapsed` seconds still needs, of `left` that there are.
  int further(int done, double elapsed, int left) const;

 private:
  config::WindowSection window_;
  config::TrainSection train_;
};

}  // namespace vlmark::train
